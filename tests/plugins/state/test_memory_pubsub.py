"""Publish and subscribe in the memory store."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_plugins.state.memory import MemoryState, MemoryStateConfig
from tests.plugins.state.reading import read, rest


async def test_every_present_subscriber_gets_every_message_in_order(store: MemoryState) -> None:
    await store.publish("events", b"too early")
    async with store.subscribe("events") as first, store.subscribe("events") as second, store.subscribe("other"):
        await store.publish("events", b"1")
        await store.publish("events", b"2")
        assert await read(first, 2) == [b"1", b"2"]
        assert await read(second, 2) == [b"1", b"2"]


async def test_a_subscriber_that_waits_is_woken(store: MemoryState) -> None:
    async with store.subscribe("events") as messages:
        waiting = asyncio.create_task(read(messages, 1))
        await asyncio.sleep(0)
        await store.publish("events", b"now")
        assert await waiting == [b"now"]


async def test_a_slow_subscriber_is_dropped_and_the_quick_one_is_not() -> None:
    store = MemoryState(MemoryStateConfig(subscriber_messages=2))
    async with store.subscribe("events") as slow, store.subscribe("events") as quick:
        for data in (b"1", b"2", b"3", b"4"):
            await store.publish("events", data)
            assert await read(quick, 1) == [data]
        assert await rest(slow) == [b"1", b"2"]


async def test_a_cancelled_read_loses_no_message(store: MemoryState) -> None:
    async with store.subscribe("events") as messages:
        waiting = asyncio.create_task(read(messages, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await store.publish("events", b"kept")
        assert await read(messages, 1) == [b"kept"]


async def test_nothing_is_kept_for_who_has_left(store: MemoryState) -> None:
    async with store.subscribe("events") as messages:
        assert len(store._channels) == 1
    assert len(store._channels) == 0
    await store.publish("events", b"nobody hears this")
    with pytest.raises(StopAsyncIteration):
        await anext(messages)


async def test_closing_the_store_ends_its_subscriptions() -> None:
    async with MemoryState.open(MemoryStateConfig()) as store:
        subscription = store.subscribe("events")
        messages = await subscription.__aenter__()
        waiting = asyncio.create_task(rest(messages))
        await asyncio.sleep(0)
    assert await waiting == []
    await subscription.__aexit__(None, None, None)
