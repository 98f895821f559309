"""Values, counters and the outside of the memory store."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core.state import Settlement, StateStore, Window
from sentinel_plugins.state.memory import MemoryState, MemoryStateConfig, sentinel_stores
from tests.plugins.state.manual_time import ManualTime


async def test_a_value_is_there_until_its_time_is_over(store: MemoryState, clock: ManualTime) -> None:
    await store.set("key", b"value", ttl_s=10.0)
    clock.advance(9.75)
    assert await store.get("key") == b"value"
    clock.advance(0.25)
    assert await store.get("key") is None


async def test_setting_again_starts_the_time_anew(store: MemoryState, clock: ManualTime) -> None:
    await store.set("key", b"old", ttl_s=10.0)
    clock.advance(5.0)
    await store.set("key", b"new", ttl_s=10.0)
    clock.advance(5.0)
    assert await store.get("key") == b"new"


async def test_a_deleted_value_is_gone_and_deleting_it_again_is_no_error(store: MemoryState) -> None:
    await store.set("key", b"value", ttl_s=10.0)
    await store.delete("key")
    await store.delete("key")
    assert await store.get("key") is None


async def test_a_counter_lives_as_long_as_its_first_increment_said(store: MemoryState, clock: ManualTime) -> None:
    assert await store.increment("hits", ttl_s=10.0) == 1
    clock.advance(9.0)
    assert await store.increment("hits", 4, ttl_s=10.0) == 5
    assert await store.get("hits") == b"5"
    clock.advance(1.0)
    assert await store.increment("hits", ttl_s=10.0) == 1


async def test_what_is_no_counter_cannot_be_counted(store: MemoryState) -> None:
    await store.set("key", b"value", ttl_s=10.0)
    with pytest.raises(ValueError):
        await store.increment("key", ttl_s=10.0)
    assert await store.get("key") == b"value"


async def test_l10_values_are_bounded_and_the_least_recently_used_goes_first(clock: ManualTime) -> None:
    store = MemoryState(MemoryStateConfig(max_entries=2), now=clock)
    await store.set("a", b"1", ttl_s=10.0)
    await store.set("b", b"2", ttl_s=10.0)
    await store.get("a")
    await store.set("c", b"3", ttl_s=10.0)
    assert [await store.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_l10_writing_one_key_again_and_again_does_not_grow(store: MemoryState) -> None:
    for _ in range(10_000):
        await store.set("key", b"value", ttl_s=600.0)
    assert len(store._values._items._queue) < 100


async def test_it_is_a_state_store_of_one_process() -> None:
    async with MemoryState.open(MemoryStateConfig()) as store:
        assert isinstance(store, StateStore)
        assert (store.kind, store.shared) == ("memory", False)
        assert await store.ping() == 0.0
        assert (await store.admit("r", [Window("key", limit=1, period_s=60.0)])).admitted
        assert await store.settle("r", Settlement()) == "settled"
    assert tuple(sentinel_stores()) == (MemoryState,)


@pytest.mark.parametrize("table", [{"max_entries": 0}, {"subscriber_messages": 0}, {"max_entrys": 5}])
def test_a_mistake_in_the_table_is_refused(table: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, MemoryStateConfig)
