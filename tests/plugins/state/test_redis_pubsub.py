"""Publish and subscribe over Redis, between processes (S3-28)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sentinel_core.errors import Refusal
from sentinel_core.state import Message
from sentinel_plugins.state.redis import RedisState
from tests.pace import AT_ONCE_S, until
from tests.plugins.state.reading import read, rest
from tests.plugins.state.redis_stores import redis_state
from tests.redis.server import RedisServer
from tests.redis.shim import Shim


@pytest_asyncio.fixture
async def store(redis_url: str) -> AsyncIterator[RedisState]:
    async with redis_state(redis_url) as store:
        yield store


@pytest_asyncio.fixture
async def other(redis_url: str) -> AsyncIterator[RedisState]:
    """Another gateway."""
    async with redis_state(redis_url) as other:
        yield other


def listeners(server: RedisServer, channel: str) -> int:
    """How many connections listen to a channel."""
    count: int = server.ask("PUBSUB", "NUMSUB", f"sentinel:{channel}")[1]
    return count


async def test_every_present_subscriber_gets_every_message_in_order(store: RedisState, other: RedisState) -> None:
    await other.publish("events", b"too early")
    async with store.subscribe("events") as first, store.subscribe("events") as second, store.subscribe("other"):
        for data in (b"1", b"2"):
            await other.publish("events", data)
        assert await read(first, 2) == [b"1", b"2"]
        async with asyncio.timeout(AT_ONCE_S):
            assert await anext(second) == Message("events", b"1")
        assert await read(second, 1) == [b"2"]


async def test_a_slow_subscriber_is_dropped_and_the_quick_one_is_not(redis_url: str) -> None:
    async with (
        redis_state(redis_url, subscriber_messages=2) as store,
        store.subscribe("events") as slow,
        store.subscribe("events") as quick,
    ):
        for data in (b"1", b"2", b"3", b"4"):
            await store.publish("events", data)
            assert await read(quick, 1) == [data]
        assert await rest(slow) == [b"1", b"2"]


async def test_one_connection_listens_for_all_and_nobody_for_none(store: RedisState, redis_server: RedisServer) -> None:
    async with store.subscribe("events"):
        async with store.subscribe("events"):
            assert listeners(redis_server, "events") == 1
        assert listeners(redis_server, "events") == 1
    await until(lambda: listeners(redis_server, "events") == 0, 5.0)
    async with store.subscribe("events") as again:
        await store.publish("events", b"again")
        assert await read(again, 1) == [b"again"]


async def test_two_prefixes_do_not_hear_each_other(store: RedisState, redis_url: str) -> None:
    async with redis_state(redis_url, prefix="other:") as stranger, store.subscribe("events") as messages:
        await stranger.publish("events", b"not for us")
        await store.publish("events", b"for us")
        assert await read(messages, 1) == [b"for us"]


async def test_a_subscription_survives_its_connection(redis_server: RedisServer, other: RedisState) -> None:
    async with (
        Shim(redis_server.port) as shim,
        redis_state(shim.url) as store,
        store.subscribe("events") as messages,
    ):
        await shim.drop()
        await until(lambda: listeners(redis_server, "events") == 0, 5.0)
        await other.publish("events", b"lost")
        await until(lambda: listeners(redis_server, "events") == 1, 5.0)
        await other.publish("events", b"heard")
        assert await read(messages, 1) == [b"heard"]


async def test_r13_who_cannot_be_told_of_messages_is_refused_and_leaves_nothing_behind(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Shim(redis_server.port) as shim, redis_state(shim.url, timeout_s=0.25) as store:
        await shim.refuse()
        for _ in range(3):
            with pytest.raises(Refusal, match="state_unavailable"):
                async with store.subscribe("events"):
                    pytest.fail("nobody confirmed")
        await shim.listen()
        assert len(store._subscriber._channels) == 0
        assert caplog.text.count("subscriptions are interrupted") <= 3


async def test_closing_the_store_ends_its_subscriptions(redis_url: str) -> None:
    async with redis_state(redis_url) as store:
        subscription = store.subscribe("events")
        messages = await subscription.__aenter__()
        waiting = asyncio.create_task(rest(messages))
        await asyncio.sleep(0)
    assert await waiting == []
    await subscription.__aexit__(None, None, None)


async def test_a_server_that_is_silent_is_asked_and_left_if_it_does_not_answer(
    redis_server: RedisServer, other: RedisState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel_plugins.state.redis.subscriber.QUIET_S", 0.05)
    async with (
        Shim(redis_server.port) as shim,
        redis_state(shim.url) as store,
        store.subscribe("events") as messages,
    ):
        await until(lambda: "PING" in shim.commands, 5.0)
        accepted = shim.accepted
        shim.freeze()
        await until(lambda: shim.accepted > accepted, 5.0)
        monkeypatch.setattr("sentinel_plugins.state.redis.subscriber.QUIET_S", 30.0)  # it is asked no more
        shim.thaw()
        heard = asyncio.create_task(read(messages, 1))
        while not heard.done():  # which of the connections that the server still counts is heard, it cannot say
            await other.publish("events", b"heard")
        assert await heard == [b"heard"]
