"""What SDKs say of their time limits, and what is heard of it."""

from __future__ import annotations

import pytest

from sentinel_server.edge.patience import patience_s
from tests.server.gateway_fixture import chat, chat_server
from tests.server.serving import RUNNERS
from tests.upstream import Reply, Upstream, completion

READ, WHOLE = b"x-stainless-read-timeout", b"x-stainless-timeout"
LANG = b"x-stainless-lang"
PYTHON = {LANG: b"python"}
MOST_S = 600.0


@pytest.mark.parametrize(
    ("headers", "waits_s"),
    [
        ({}, MOST_S),
        ({**PYTHON, READ: b"0.5"}, 0.5),
        ({**PYTHON, READ: b"20", WHOLE: b"20"}, 20.0),
        ({**PYTHON, READ: b"600"}, MOST_S),
        ({READ: b"2.5"}, 2.5),
        ({LANG: b"js", WHOLE: b"0"}, 1.0),  # 900 ms: openai-node sends Math.trunc(timeout / 1000)
        ({LANG: b"js", WHOLE: b"1"}, 2.0),
        ({LANG: b"go", WHOLE: b"0"}, 1.0),  # openai-go sends int(timeout.Seconds())
        ({LANG: b"java", READ: b"1", WHOLE: b"3"}, 2.0),  # openai-java sends whole seconds of a Duration
        ({LANG: b"js", WHOLE: b"599"}, MOST_S),
        ({LANG: b"js", WHOLE: b"700"}, MOST_S),
        ({**PYTHON, READ: b"0"}, MOST_S),
        ({READ: b"0.0"}, MOST_S),
    ],
)
def test_p10_a_client_is_waited_for_as_long_as_it_waits(headers: dict[bytes, bytes], waits_s: float) -> None:
    assert patience_s(headers, MOST_S) == waits_s


@pytest.mark.parametrize("runner", RUNNERS)
async def test_p10_a_node_client_that_waits_less_than_a_second_is_answered(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply(completion("well")))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(headers=("X-Stainless-Lang: js", "X-Stainless-Timeout: 0")))
        assert answer.status == 200
