"""A stage's own time: what it spends itself, and never what it waits for its input, its consumer or the upstream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from sentinel_core.chain import (
    Delivery,
    Exchange,
    Tracker,
    calling,
    clock,
    dispatching,
    finish,
    inward,
    monitor,
    outward,
)
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import StageFault
from sentinel_core.events import Event, TextEvent
from sentinel_core.messages import Answer
from sentinel_core.reply import Reply
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import FakeProvider, chain_of, context
from tests.core.chain.stages import exchange, monitoring, stage

TIMEOUT_S = 0.1
LIMITED = StageConfig(timeout_s=60)
EVENTS = 4
"""What a script of two texts makes: an opening, the texts, an end."""


class Hand:
    """The hand of the chain's clock: it moves only where a stage spends time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    for module in (calling, clock, dispatching, finish, inward, monitor, outward):
        monkeypatch.setattr(module, "perf_counter", hand)
    return hand


Streaming = Callable[[Stage, AsyncIterator[Event]], AsyncIterator[Event]]


def spending(hand: Hand, seconds: float) -> Streaming:
    """An `on_stream` that spends so much on every event."""

    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            hand.spend(seconds)
            yield event

    return on_stream


async def consumed(hand: Hand, seconds: float, *stages: Stage) -> Context:
    """A stream of four events, whose consumer spends so much on each."""
    ctx = context(stream=True)
    async with Exchange(chain_of(stages, FakeProvider(("a", "b")), Tracker()), ctx) as reply:
        assert isinstance(reply, Delivery)
        async for _ in reply:
            hand.spend(seconds)
    return ctx


async def test_timings_are_in_chain_order_and_add_up_over_the_phases(hand: Hand) -> None:
    def on_request(self: Stage) -> None:
        hand.spend(1)

    def on_response(self: Stage, answer: Answer) -> Answer:
        hand.spend(10)
        return answer

    def on_finish(self: Stage) -> None:
        hand.spend(100)

    ctx = context()
    await exchange(
        stage("zeta", on_request, on_response, on_finish), stage("idle"), stage("alpha", on_response), ctx=ctx
    )
    assert list(ctx.timings.items()) == [("zeta", 111), ("idle", 0), ("alpha", 10)]


async def test_time_inside_call_next_is_not_the_stages(hand: Hand) -> None:
    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        hand.spend(1 if self.name == "outer" else 100)
        reply: Reply = await call_next(call)
        hand.spend(2 if self.name == "outer" else 200)
        return reply

    ctx = context()
    config = StageConfig(timeout_s=4)
    driven = await exchange(stage("outer", dispatch, config=config), stage("inner", dispatch), ctx=ctx)
    assert (driven.error, ctx.timings) == (None, {"outer": 3, "inner": 300})


@pytest.mark.parametrize("config", [StageConfig(), LIMITED], ids=["untimed", "timed"])
async def test_time_while_on_stream_waits_for_its_input_or_its_consumer_is_not_the_stages(
    hand: Hand, config: StageConfig
) -> None:
    outer, inner = stage("outer", spending(hand, 1), config=config), stage("inner", spending(hand, 100))
    ctx = await consumed(hand, 1000, outer, inner)
    assert ctx.timings == {"outer": EVENTS, "inner": 100 * EVENTS}


async def test_a_collected_streams_guard_is_charged_for_its_check_alone(hand: Hand) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        hand.spend(7)
        return answer

    guard = stage("guard", on_response, config=StageConfig(timeout_s=10))
    ctx = await consumed(hand, 1000, guard, stage("inner", spending(hand, 100)))
    assert ctx.timings["guard"] == 7


async def test_a_monitors_time_is_its_own_as_well(hand: Hand) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        hand.spend(5)
        return answer

    assert (await consumed(hand, 1000, stage("guard", on_response, config=monitoring()))).timings == {"guard": 5}


async def test_what_a_stage_spent_before_it_failed_is_its_time(hand: Hand) -> None:
    def on_request(self: Stage) -> None:
        hand.spend(3)
        raise RuntimeError

    ctx = context()
    assert isinstance((await exchange(stage("broken", on_request), stage("idle"), ctx=ctx)).error, StageFault)
    assert ctx.timings == {"broken": 3, "idle": 0}


@pytest.mark.parametrize(("each", "fault"), [(40, False), (61, True)])
async def test_every_event_that_is_handed_on_begins_a_new_allowance(hand: Hand, each: float, fault: bool) -> None:
    driven = await exchange(stage("slow", spending(hand, each), config=LIMITED), reply=("a", "b"))
    assert isinstance(driven.error, StageFault) is fault


async def read_ahead(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Read the next event in a task while the consumer has this one."""
    pending = asyncio.create_task(_next(events))
    while (event := await pending) is not None:
        pending = asyncio.create_task(_next(events))
        yield event


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)


@pytest.mark.parametrize("config", [StageConfig(), LIMITED], ids=["untimed", "timed"])
async def test_a_stage_that_reads_its_input_in_a_task_is_not_charged_for_its_consumer(
    hand: Hand, config: StageConfig
) -> None:
    gates = asyncio.Event(), asyncio.Event()
    ctx, loop = context(stream=True), asyncio.get_running_loop()
    ahead = stage("ahead", _named(read_ahead), config=config)
    async with Exchange(chain_of([ahead], FakeProvider(("a", gates[0], "b", gates[1])), Tracker()), ctx) as reply:
        assert isinstance(reply, Delivery)
        async for event in reply:
            hand.spend(1000)
            await asyncio.sleep(0)
            hand.spend(1000)
            if isinstance(event, TextEvent):  # the next read is pending, and waits on while the stage is asked
                loop.call_soon(loop.call_soon, hand.spend, 1000)
                loop.call_soon(loop.call_soon, gates[event.text == "b"].set)
    assert ctx.timings == {"ahead": 0}


async def test_a_stage_that_reads_its_input_in_a_task_and_then_hangs_takes_too_long() -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event
            await asyncio.create_task(_next(events))
            await asyncio.Event().wait()

    async with asyncio.timeout(50 * TIMEOUT_S):
        driven = await exchange(stage("hangs", on_stream, config=StageConfig(timeout_s=TIMEOUT_S)))
    assert isinstance(driven.error, StageFault)
    assert driven.error.reason == "took too long"


@pytest.mark.parametrize("waits_for", ["input", "consumer"])
async def test_a_timeout_does_not_run_while_on_stream_waits(waits_for: str) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if self.name == waits_for:
                await asyncio.sleep(2 * TIMEOUT_S)
            yield event

    timed = stage("timed", on_stream, config=StageConfig(timeout_s=TIMEOUT_S))
    stages = {"input": (timed, stage("input", on_stream)), "consumer": (stage("consumer", on_stream), timed)}
    driven = await exchange(*stages[waits_for], reply=("a",))
    assert (driven.error, driven.text) == (None, "a")


def _named(phase: Streaming) -> Streaming:
    phase.__name__ = "on_stream"
    return phase
