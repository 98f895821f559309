"""How much the upstream produced and how much left the chain, on every ending."""

from __future__ import annotations

import pytest

from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Extent, TextEvent
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream
from sentinel_core.stage import Stage
from sentinel_core.testing import Driven, FakeProvider, chain_of, content_chunk, context, finish_chunk
from tests.core.chain.stages import exchange, stage
from tests.core.chain.test_transcript import played

STREAM = pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
HELLO = len("Hello <1>")


class Names:
    """Puts a longer name back."""

    def answer(self, answer: Answer) -> Answer:
        return answer.with_texts({slot.path: slot.text.replace("<1>", "Hannah") for slot in answer.texts()})

    def event(self, event: TextEvent) -> TextEvent:
        return event.with_text(event.text.replace("<1>", "Hannah"))

    def rest(self, choice: int | None = None) -> tuple[()]:
        return ()


def chars(driven: Driven) -> tuple[int, int]:
    """Characters produced and delivered."""
    assert driven.outcome is not None
    return driven.outcome.produced.chars, driven.outcome.delivered.chars


@STREAM
async def test_what_nobody_touches_is_delivered_as_it_was_produced(stream: bool) -> None:
    driven = await exchange(reply=("Hello ", "<1>"), stream=stream)
    assert driven.outcome is not None
    extent = Extent(4 if stream else 1, HELLO)
    assert (driven.outcome.produced, driven.outcome.delivered) == (extent, extent)


@STREAM
async def test_what_a_guard_masks_was_produced_and_not_delivered(stream: bool) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        return answer.with_texts({slot.path: "***" for slot in answer.texts() if "Hello" in slot.text})

    assert chars(await exchange(stage("guard", on_response), reply=("Hello ", "<1>"), stream=stream)) == (HELLO, 3)


@STREAM
async def test_what_a_restoration_puts_back_is_delivered(stream: bool) -> None:
    def on_request(self: Stage, ctx: Context) -> None:
        ctx.restore_with(Names())

    driven = await exchange(stage("names", on_request), reply=("Hello ", "<1>"), stream=stream)
    assert driven.text == "Hello Hannah"
    assert chars(driven) == (HELLO, HELLO + 3)


@STREAM
async def test_what_a_guard_refuses_was_produced_and_nothing_was_delivered(stream: bool) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        raise Refusal("content_policy_violation")

    assert chars(await exchange(stage("guard", on_response), reply=("Hello ", "<1>"), stream=stream)) == (HELLO, 0)


@STREAM
async def test_where_no_reply_came_nothing_was_produced(stream: bool) -> None:
    assert chars(await exchange(reply=UpstreamError("upstream_timeout"), stream=stream)) == (0, 0)


async def test_a_stream_that_is_cut_was_produced_and_delivered_up_to_the_cut() -> None:
    driven = await exchange(reply=("abc", UpstreamError("upstream_stream_interrupted")))
    assert chars(driven) == (3, 3)


async def test_of_a_stream_that_is_left_early_counts_what_was_taken() -> None:
    running = Exchange(chain_of([], FakeProvider(("ab", "cd", "ef")), Tracker()), context(stream=True))
    async with running as reply:
        assert isinstance(reply, Delivery)
        async for event in reply:
            if isinstance(event, TextEvent) and event.text == "cd":
                break
    assert running.outcome is not None
    assert (running.outcome.produced, running.outcome.delivered) == (Extent(3, 4), Extent(3, 4))


@pytest.mark.parametrize("whole", [True, False])
async def test_a_stream_that_becomes_one_answer_was_produced_as_a_stream(whole: bool) -> None:
    def on_request(self: Stage) -> EventStream:
        payloads = [content_chunk("ab"), content_chunk("cd"), finish_chunk() if whole else b"not JSON"]
        return EventStream(played(payloads), dialect=OPENAI_CHAT)

    driven = await exchange(stage("answers", on_request), stream=False)
    assert driven.outcome is not None
    assert driven.outcome.produced == Extent(3 if whole else 2, 4)
    assert driven.outcome.delivered == (Extent(1, 4) if whole else Extent())
