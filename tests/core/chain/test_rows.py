"""What becomes of a reply is written into the row of the attempt that gave it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.cancellation import note_unsent
from sentinel_core.chain import Chain, ChainPlan, Exchange, Tracker
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal, SentinelError, StageFault, UpstreamError
from sentinel_core.events import Event
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import FakeProvider, chain_of, completion, content_chunk, context, events_of, run
from sentinel_core.testing.replies import usage_chunk
from sentinel_core.usage import Usage
from tests.core.chain.stages import exchange, stage

USAGE = Usage(3, 2, 5)
BROKEN = UpstreamError("upstream_stream_interrupted")


async def first_of_two(self: Stage, call: Call, call_next: CallNext) -> Reply:
    """Ask twice, and go on with the first reply."""
    first: Reply = await call_next(call)
    second: Reply = await call_next(call)
    if isinstance(second, EventStream):
        await second.aclose()
    return first


first_of_two.__name__ = "dispatch"


async def rows(provider: FakeProvider, *stages: Stage, stream: bool = True) -> list[Attempt]:
    tracker, ctx = Tracker(), context(stream=stream)
    await run(chain_of(stages, provider, tracker), ctx)
    await tracker.drained()
    return ctx.attempts


def told(attempts: list[Attempt]) -> list[tuple[str | None, str | None, bool]]:
    return [(row.ending, row.error, row.taken) for row in attempts]


async def test_a_stream_that_breaks_is_the_failure_of_its_own_attempt_not_of_the_last_one() -> None:
    found = await rows(FakeProvider(("a", BROKEN), ("b",)), stage("two", first_of_two))
    assert told(found) == [("failed", "upstream_stream_interrupted", True), ("discarded", None, False)]


async def test_a_provider_that_faults_in_its_stream_has_failed() -> None:
    found = await rows(FakeProvider(("a", RuntimeError("a bug of the provider"))))
    assert told(found) == [("failed", "internal_error", True)]


async def test_a_stage_that_faults_on_a_stream_says_nothing_about_the_attempt() -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event
            raise RuntimeError("a bug of the stage")

    found = await exchange(stage("guard", on_stream), reply=("a", "b"))
    assert isinstance(found.error, StageFault)
    assert found.ctx is not None
    assert told(found.ctx.attempts) == [("discarded", None, True)]


async def test_a_whole_answer_that_was_given_up_is_discarded_and_its_cost_is_known() -> None:
    found = await rows(FakeProvider(completion("a"), completion("b")), stage("two", first_of_two), stream=False)
    assert told(found) == [("completed", None, True), ("discarded", None, False)]
    assert [row.usage for row in found] == [USAGE, USAGE]


async def test_a_stream_that_was_taken_has_its_counts_in_its_row() -> None:
    found = await rows(FakeProvider(("a", usage_chunk()), ("b", usage_chunk())), stage("two", first_of_two))
    assert [(row.ending, row.usage) for row in found] == [("completed", USAGE), ("discarded", None)]


async def test_an_answer_that_a_stage_rebuilt_is_that_of_the_only_attempt() -> None:
    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        await call_next(call)
        return completion("rebuilt")

    found = await exchange(stage("rebuilds", dispatch), reply=completion("a"), stream=False)
    assert found.ctx is not None
    assert told(found.ctx.attempts) == [("completed", None, True)]


class Streams(Provider):
    """Streams whatever it is asked for, and breaks off."""

    name = "fake"

    def __init__(self) -> None:
        super().__init__(ProviderConfig())

    async def call(self, call: Call) -> Reply:
        return EventStream(self._events(), dialect=OPENAI_CHAT)

    async def _events(self) -> AsyncIterator[Event]:
        for event in events_of(content_chunk("a")):
            yield event
        raise BROKEN


async def test_a_stream_that_breaks_under_a_caller_who_wanted_one_answer_is_noted_too() -> None:
    ctx = context(stream=False)
    with pytest.raises(UpstreamError):
        await _enter(Chain(ChainPlan(()), (), {"fake": Streams()}, Tracker()), ctx)
    assert told(ctx.attempts) == [("failed", "upstream_stream_interrupted", True)]


async def _enter(chain: Chain, ctx: Context) -> None:
    async with Exchange(chain, ctx):
        pass


@pytest.mark.parametrize(
    ("error", "row"),
    [
        (UpstreamError("overloaded", attempted=False), ("discarded", NOT_CALLED, False)),
        (UpstreamError("upstream_timeout", attempted=False), ("discarded", NOT_CALLED, False)),
        (Refusal("unsupported_parameter"), ("discarded", NOT_CALLED, False)),
        (UpstreamError("upstream_timeout"), ("failed", "upstream_timeout", False)),
        (RuntimeError("a bug of the provider"), ("failed", "internal_error", False)),
    ],
)
async def test_a_call_that_ended_before_anything_was_sent_is_none(error: Exception, row: tuple[str, str, bool]) -> None:
    found = await exchange(reply=error)
    assert isinstance(found.error, SentinelError)
    assert found.ctx is not None
    assert told(found.ctx.attempts) == [row]


@pytest.mark.parametrize(("unsent", "error"), [(True, NOT_CALLED), (False, None)])
async def test_a_call_that_was_cancelled_is_none_only_where_nothing_was_sent(unsent: bool, error: str | None) -> None:
    begun = asyncio.Event()

    class Waits(FakeProvider):
        async def call(self, call: Call) -> Reply:
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError as exc:
                if unsent:
                    note_unsent(exc)
                raise
            return completion("a")

    ctx = context(stream=False)
    asked = asyncio.create_task(_enter(Chain(ChainPlan(()), (), {"fake": Waits()}, Tracker()), ctx))
    await begun.wait()
    asked.cancel()
    await asyncio.wait([asked])
    assert told(ctx.attempts) == [("discarded", error, False)]
