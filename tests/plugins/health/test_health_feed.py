"""One subscriber's connection: heartbeats, and the end of one that leaves or does not read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from sentinel_core.context import Client
from sentinel_core.json_types import JsonObject
from sentinel_core.keys import Principal
from sentinel_core.state import Message
from sentinel_core.testing import FakeClock, fake_services, settle
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.events import CHANNEL, publish
from sentinel_plugins.health.feed import Feed
from sentinel_plugins.health.incidents import incident
from tests.pace import AT_ONCE_S

SHORT_S = 0.1


class Subscriber:
    """A connection in this process. `reading` is cleared to make one that takes nothing."""

    def __init__(self) -> None:
        self.client = Client()
        self.got: asyncio.Queue[JsonObject] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.left = asyncio.Event()
        self.error: Exception | None = None
        self.who: Principal | None = None

    async def principal(self) -> Principal | None:
        """Whom a test makes it."""
        return self.who

    async def send(self, text: str) -> None:
        """Take one message, or let it wait."""
        await self.reading.wait()
        if self.error is not None:
            raise self.error
        self.got.put_nowait(json.loads(text))

    async def messages(self) -> AsyncIterator[str]:
        """Says nothing, until it leaves."""
        await self.left.wait()
        nothing: tuple[str, ...] = ()
        for text in nothing:
            yield text

    async def next(self) -> JsonObject:
        """The next event."""
        return await asyncio.wait_for(self.got.get(), AT_ONCE_S)


async def test_s3_23_a_heartbeat_comes_every_30_seconds() -> None:
    clock, subscriber = FakeClock(), Subscriber()
    async with fake_services(clock) as services, services.state.subscribe(CHANNEL) as messages:
        feed = asyncio.create_task(Feed(subscriber, clock, HealthConfig()).run(messages))
        hello = await subscriber.next()
        assert (hello["event_type"], hello["payload"]["status"]) == ("system", "connected")
        await clock.advance(29.0)
        assert subscriber.got.empty()
        await clock.advance(1.0)
        assert (await subscriber.next())["event_type"] == "heartbeat"
        await clock.advance(30.0)
        assert (await subscriber.next())["event_type"] == "heartbeat"
        subscriber.left.set()
        await asyncio.wait_for(feed, AT_ONCE_S)


async def test_s3_24_every_subscriber_gets_every_event() -> None:
    clock, both = FakeClock(), (Subscriber(), Subscriber())
    async with (
        fake_services(clock) as services,
        services.state.subscribe(CHANNEL) as one,
        services.state.subscribe(CHANNEL) as two,
    ):
        feeds = [
            asyncio.create_task(Feed(subscriber, clock, HealthConfig()).run(messages))
            for subscriber, messages in zip(both, (one, two), strict=True)
        ]
        await publish(services.state, "metrics", {"total_requests": 1})
        for subscriber in both:
            await subscriber.next()
            assert (await subscriber.next())["payload"] == {"total_requests": 1}
            subscriber.left.set()
        await asyncio.wait_for(asyncio.gather(*feeds), AT_ONCE_S)


async def test_z05_a_subscriber_is_told_whose_request_it_was_as_who_they_are_by_then() -> None:
    clock, subscriber = FakeClock(), Subscriber()
    failover = incident("failover_triggered", 1.0, "a", "b answers", trace_id="req-1", tenant="acme")
    async with fake_services(clock) as services, services.state.subscribe(CHANNEL) as messages:
        feed = asyncio.create_task(Feed(subscriber, clock, HealthConfig()).run(messages))
        await subscriber.next()
        for scope, named in (("admin", "req-1"), ("chat", None), ("admin", "req-1")):
            subscriber.who = Principal("other", "key-1", "key", scopes=frozenset({scope}))
            await publish(services.state, "incident", failover)
            told = (await subscriber.next())["payload"]
            assert (told.get("trace_id"), "tenant" in told) == (named, False)
        subscriber.left.set()
        await asyncio.wait_for(feed, AT_ONCE_S)


async def test_a_subscriber_that_does_not_read_is_dropped_and_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    clock, slow, quick = FakeClock(), Subscriber(), Subscriber()
    config = HealthConfig(send_timeout_s=SHORT_S)
    async with (
        fake_services(clock) as services,
        services.state.subscribe(CHANNEL) as one,
        services.state.subscribe(CHANNEL) as two,
    ):
        slow.reading.clear()
        dropped = asyncio.create_task(Feed(slow, clock, config).run(one))
        feed = asyncio.create_task(Feed(quick, clock, config).run(two))
        await quick.next()
        await publish(services.state, "metrics", {})  # waits for nobody
        assert (await quick.next())["event_type"] == "metrics"
        await asyncio.wait_for(dropped, AT_ONCE_S)
        assert slow.got.empty()
        assert "does not read" in caplog.text
        assert not feed.done()
        quick.left.set()
        await asyncio.wait_for(feed, AT_ONCE_S)


async def test_a_subscription_that_the_store_ends_closes_the_connection() -> None:
    clock, subscriber = FakeClock(), Subscriber()

    async def ended() -> AsyncIterator[Message]:
        nothing: tuple[Message, ...] = ()
        for message in nothing:
            yield message

    await asyncio.wait_for(Feed(subscriber, clock, HealthConfig()).run(ended()), AT_ONCE_S)
    assert [(await subscriber.next())["payload"]["status"] for _ in range(2)] == ["connected", "closing"]


async def test_a_connection_that_breaks_ends_the_feed_with_its_error_and_leaves_no_task() -> None:
    clock, subscriber = FakeClock(), Subscriber()
    subscriber.error = ConnectionResetError()
    before = asyncio.all_tasks()
    async with fake_services(clock) as services, services.state.subscribe(CHANNEL) as messages:
        with pytest.raises(ConnectionResetError):
            await Feed(subscriber, clock, HealthConfig()).run(messages)
    await settle()
    assert asyncio.all_tasks() == before
