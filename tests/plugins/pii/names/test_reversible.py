"""Names that are put back: what stands for them is no name, and they return into the reply wherever it is cut."""

from __future__ import annotations

import pytest

from sentinel_core.config import Secret
from sentinel_core.testing import FakeProvider
from sentinel_plugins.pii.config import PiiConfig
from tests.plugins.guarding.guards import guards, sent, verdicts


def config() -> PiiConfig:
    key = Secret("k" * 16, "HASH_KEY")
    return PiiConfig(entities=(), names=True, places=True, action="reversible", hash_key=key)


@pytest.mark.parametrize("stream", [False, True])
async def test_names_are_taken_out_and_put_back(stream: bool) -> None:
    provider = FakeProvider(("",))
    async with guards(provider, pii=config()) as chain:
        text = "Tell Ann Smith that Bob is in Paris. Ann Smith knows him."
        taken = sent(await chain.ask(text))
        assert not {"Ann", "Bob", "Paris"} & set(taken.replace(".", "").split())
        provider.script(tuple(taken))
        driven = await chain.ask(text, stream=stream)
        assert driven.text == text
        assert verdicts(driven)["pii", "request"] == "masked"
        assert verdicts(driven)["pii", "response"] == "allowed"
