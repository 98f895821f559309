"""A read that its caller cancels is no end of the reply: whoever reads on gets the rest, or an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from sentinel_core.attempt import Ending
from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.context import Call, Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal, SentinelError, UpstreamError
from sentinel_core.events import Event, Finish, TextDelta
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import HANG, FakeProvider, chain_of, context, settle
from tests.core.chain.stages import stage


class Steady:
    """An upstream's events that a cancelled read takes nothing from; it waits behind the first text."""

    def __init__(self, *events: Event) -> None:
        self.events = iter(events)
        self.way = asyncio.Event()
        self.given = 0

    def __aiter__(self) -> Steady:
        return self

    async def __anext__(self) -> Event:
        if self.given == 1:
            await self.way.wait()
        self.given += 1
        for event in self.events:
            return event
        raise StopAsyncIteration


class Held(FakeProvider):
    """Gives one such stream."""

    def __init__(self, source: Steady) -> None:
        super().__init__()
        self.source = source
        self.endings = list[Ending]()

    async def call(self, call: Call) -> Reply:
        """The stream."""
        stream = EventStream(self.source, dialect=OPENAI_CHAT)
        stream.on_close(self.endings.append)
        return stream


def relay() -> Stage:
    """A stage whose generator ends with the first read that is cancelled."""

    async def on_stream(self: Stage, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event

    return stage("relay", on_stream)


def reading(events: Delivery) -> asyncio.Task[Event]:
    return asyncio.create_task(anext(events))


async def cancelled(events: Delivery) -> None:
    """A read that its caller gives up."""
    read = reading(events)
    await settle()
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read


async def text(events: Delivery) -> str:
    """The next text."""
    async for event in events:
        if isinstance(event, TextDelta) and event.text:
            return event.text
    raise AssertionError("no text came")


def upstream() -> Steady:
    return Steady(TextDelta(text="one "), TextDelta(text="two"), Finish())


async def test_one_who_reads_on_without_guards_gets_the_rest_and_has_completed() -> None:
    source = upstream()
    provider, tracker = Held(source), Tracker()
    exchange = Exchange(chain_of((), provider, tracker), context(stream=True))
    async with exchange as events:
        assert isinstance(events, Delivery)
        assert await text(events) == "one "
        for _ in range(3):
            await cancelled(events)
        source.way.set()
        assert [getattr(event, "text", None) async for event in events] == ["two", None]
    await tracker.drained()
    assert exchange.outcome is not None
    assert (exchange.outcome.status, exchange.outcome.error, provider.endings) == ("completed", None, ["completed"])


async def test_one_who_gives_up_after_a_read_that_was_cancelled_has_cancelled() -> None:
    provider, tracker = Held(upstream()), Tracker()
    exchange = Exchange(chain_of((), provider, tracker), context(stream=True))
    async with exchange as events:
        assert isinstance(events, Delivery)
        await text(events)
        await cancelled(events)
    await tracker.drained()
    assert exchange.outcome is not None
    assert exchange.outcome.status == "cancelled"


@pytest.mark.parametrize("finishes", [False, True])
async def test_a_guards_generator_that_ended_with_a_read_ends_no_reply(finishes: bool) -> None:
    source = Steady(TextDelta(text="one "), *([Finish()] if finishes else []), TextDelta(text="two"), Finish())
    provider, tracker = Held(source), Tracker()
    exchange = Exchange(chain_of((relay(),), provider, tracker), context(stream=True))
    async with exchange as events:
        assert isinstance(events, Delivery)
        assert await text(events) == "one "
        await cancelled(events)
        source.way.set()
        await interrupted(events)
        await interrupted(events)
        assert not events.exhausted
    await tracker.drained()
    assert exchange.outcome is not None
    assert (exchange.outcome.status, provider.endings) == ("cancelled", ["discarded"])  # it is no fault of the upstream


@pytest.mark.parametrize("stages", [(), (relay,)])
async def test_a_providers_generator_that_ended_with_a_read_ends_no_reply(
    stages: tuple[Callable[[], Stage], ...],
) -> None:
    provider, tracker = FakeProvider(("one ", HANG)), Tracker()
    exchange = Exchange(chain_of([make() for make in stages], provider, tracker), context(stream=True))
    async with exchange as events:
        assert isinstance(events, Delivery)
        assert await text(events) == "one "
        await cancelled(events)
        await interrupted(events)
    await tracker.drained()
    assert exchange.outcome is not None
    assert (exchange.outcome.status, provider.opened, provider.closed) == ("cancelled", 1, 1)


async def interrupted(events: Delivery) -> None:
    """The next read says that the reply broke off."""
    with pytest.raises(UpstreamError) as caught:
        async for _ in events:
            pass
    assert caught.value.code == "upstream_stream_interrupted"


@pytest.mark.parametrize("error", [Refusal("content_policy_violation"), UpstreamError("upstream_stream_interrupted")])
async def test_what_broke_a_stream_is_said_again_to_whoever_reads_on(error: SentinelError) -> None:
    tracker = Tracker()
    exchange = Exchange(chain_of((), FakeProvider(("one ", error)), tracker), context(stream=True))
    async with exchange as events:
        assert isinstance(events, Delivery)
        await text(events)
        for _ in range(2):
            with pytest.raises(type(error)) as caught:
                await anext(events)
            assert caught.value is error
    await interrupted(events)
    await tracker.drained()
