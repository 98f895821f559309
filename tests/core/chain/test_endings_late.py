"""What comes late is owned too: streams after the close, attempts of legs left behind, finishers after two cancels."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from sentinel_core import Gateway, Registry
from sentinel_core.attempt import Attempt, Ending
from sentinel_core.chain import Tracker, calling
from sentinel_core.chain.endings import Endings
from sentinel_core.chain.exchange import Exchange
from sentinel_core.config import settings_from
from sentinel_core.context import Call, CallNext
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import HANG, FakeProvider, chain_of, chat_body, context, run, settle
from tests.core.chain.stages import stage


class Late(FakeProvider):
    """Swallows a cancellation of its call, and comes with a stream after all."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def call(self, call: Call) -> Reply:
        """Wait for the gate, whoever cancels."""
        self.asked.set()
        while not self.gate.is_set():
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                continue
        return await super().call(call)


async def nothing() -> AsyncIterator[Event]:
    return
    yield


async def test_a_stream_that_is_adopted_after_the_close_is_closed_too_and_the_tracker_waits() -> None:
    tracker, heard = Tracker(), list[Ending]()
    endings = Endings(tracker)
    await endings.close()
    stream = EventStream(nothing(), dialect=OPENAI_CHAT)
    stream.on_close(heard.append)
    endings.adopt(stream)
    assert heard == []
    await tracker.drained()
    assert heard == ["discarded"]


async def test_a_stream_that_is_adopted_twice_is_closed_once() -> None:
    endings, heard = Endings(Tracker()), list[Ending]()
    stream = EventStream(nothing(), dialect=OPENAI_CHAT)
    stream.on_close(heard.append)
    endings.adopt(stream)
    endings.adopt(stream)
    await endings.close()
    assert heard == ["discarded"]


async def test_a_stream_that_fails_to_close_keeps_no_other_open(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise OSError

    endings, heard = Endings(Tracker()), list[Ending]()
    streams = [EventStream(nothing(), broken, dialect=OPENAI_CHAT) for _ in range(2)]
    for stream in (streams[0], EventStream(nothing(), dialect=OPENAI_CHAT), streams[1]):
        stream.on_close(heard.append)
        endings.adopt(stream)
    await endings.close()
    assert heard == ["discarded"] * 3
    assert len(caplog.records) == 2


async def test_a_stream_of_a_leg_that_outlives_its_exchange_is_closed() -> None:
    legs: list[asyncio.Task[Reply]] = []
    late = Late()

    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        legs.append(asyncio.create_task(call_next(call)))
        await late.asked.wait()
        legs[0].cancel()
        raise UpstreamError("upstream_timeout")

    async with gateway(late, stage("leaves", dispatch)) as live:
        with pytest.raises(UpstreamError):
            async with live.stream(chat_body()):
                pass
        assert late.opened == 0
        late.gate.set()
        await asyncio.wait(legs)
        assert await live.drain(1)
    assert (late.opened, late.closed) == (1, 1)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_every_attempt_is_ended_exactly_once(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Counter[int]()
    close = calling._close_attempt

    def counted(attempt: Attempt, ending: Ending) -> None:
        ends[attempt.number] += 1
        close(attempt, ending)

    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        with pytest.raises(UpstreamError):
            await call_next(call)
        first: Reply = await call_next(call)
        if isinstance(first, EventStream):
            await first.aclose()
            await first.aclose()
        hanging = asyncio.create_task(call_next(call))
        await settle()
        hanging.cancel()
        await asyncio.wait([hanging])
        last: Reply = await call_next(call)
        return last

    monkeypatch.setattr(calling, "_close_attempt", counted)
    ctx, tracker = context(stream=stream), Tracker()
    provider = FakeProvider(UpstreamError("upstream_timeout"), ("a",), HANG, ("b",))
    driven = await run(chain_of([stage("retry", dispatch)], provider, tracker), ctx)
    await tracker.drained()
    assert (driven.error, driven.text) == (None, "b")
    assert ends == Counter((1, 2, 3, 4))
    assert [attempt.ending for attempt in ctx.attempts] == ["failed", "discarded", "discarded", "completed"]
    assert [attempt.error for attempt in ctx.attempts] == ["upstream_timeout", None, None, None]


async def test_after_a_second_cancellation_a_drain_waits_for_the_finishers_and_leaves_no_task() -> None:
    finishing, gate = asyncio.Event(), asyncio.Event()
    finished: list[str] = []

    async def on_finish(self: Stage) -> None:
        finishing.set()
        await gate.wait()
        finished.append(self.name)

    async with gateway(FakeProvider(), stage("slow", on_finish)) as live:
        caller = asyncio.create_task(live.complete(chat_body()))
        await finishing.wait()
        for _ in range(2):
            caller.cancel()
            await settle()
        assert (caller.cancelled(), finished, live.in_flight) == (True, [], 1)
        assert not await live.drain(0.01)
        gate.set()
        assert await live.drain(1)
        assert (finished, live.in_flight) == (["slow"], 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


def gateway(provider: FakeProvider, *stages: Stage) -> Gateway:
    """A gateway with these very stages."""
    registry = Registry()
    registry.register(provider.kind())
    for made in stages:
        registry.register(type(made))
    tables = {"stages": {made.name: {} for made in stages}, "providers": {"fake": {"models": ["fake"]}}}
    return Gateway(settings_from(tables), registry=registry)


@pytest.mark.parametrize("pulled", [0, 1, 9])
async def test_a_coroutine_that_gives_an_iterator_is_over_however_far_it_got(pulled: int) -> None:
    """pytest makes an error of a coroutine that nobody awaited."""

    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        return events

    provider, tracker = FakeProvider(("a", "b")), Tracker()
    chain, got = chain_of([stage("gives", on_stream)], provider, tracker), 0
    async with Exchange(chain, context(stream=True)) as reply:
        assert not isinstance(reply, Answer)
        while got < pulled and await anext(reply, None) is not None:
            got += 1
    await tracker.drained()
    gc.collect()
    assert (provider.opened, provider.closed) == (1, 1)
