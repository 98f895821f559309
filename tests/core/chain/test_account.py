"""What an exchange says of itself when it is over, of replies too that are no answer of their dialect."""

from __future__ import annotations

import pytest

from sentinel_core.context import Outcome
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from tests.core.chain.stages import exchange, stage, without_assembly

SECRET = "4111 1111 1111 1111"


@pytest.mark.parametrize("error", [UpstreamError("upstream_invalid_response", SECRET), KeyError(SECRET)])
async def test_a_stream_that_is_no_answer_of_its_dialect_is_none_to_the_finishers(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[str, Answer | None, str | None, int]] = []

    def on_finish(self: Stage, outcome: Outcome) -> None:
        seen.append((self.name, outcome.guarded, outcome.finish_reason, outcome.produced.chars))

    without_assembly(monkeypatch, error)
    driven = await exchange(stage("first", on_finish), stage("second", on_finish))
    assert (driven.error, driven.text) == (None, "Hello")
    assert seen == [("second", None, "stop", 5), ("first", None, "stop", 5)]
    assert type(error).__name__ in caplog.text
    assert SECRET not in caplog.text
