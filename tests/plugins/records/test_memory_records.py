"""What only the record store in memory does."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from sentinel_core.records import Record
from sentinel_plugins.records.memory import MemoryRecords, MemoryRecordsConfig, sentinel_stores
from sentinel_plugins.records.memory.store import STEP
from sentinel_plugins.records.memory.table import SLACK
from tests.plugins.records.opened import row

TABLE = "usage"


async def test_l10_a_table_keeps_its_newest_rows() -> None:
    store = MemoryRecords(MemoryRecordsConfig(max_rows=3))
    await store.append(TABLE, [row(number) for number in (5, 1, 4, 2, 3)])
    page = await store.query(TABLE, tenant=None)
    assert [record.id for record in page.records] == ["row-5", "row-4", "row-3"]
    assert await store.get(TABLE, None, "row-1") is None


async def test_l10_what_makes_room_leaves_memory_and_no_answer() -> None:
    store = MemoryRecords(MemoryRecordsConfig(max_rows=3))
    for number in range(2 * SLACK):
        await store.append(TABLE, [row(number)])
        page = await store.query(TABLE, tenant=None, limit=9)
        assert [record.id for record in page.records] == [f"row-{n}" for n in range(number, max(-1, number - 3), -1)]
        assert len(store._tables[TABLE]._rows) <= SLACK + 3
    last = 2 * SLACK - 1
    await store.append(TABLE, [row(last - 10)])  # too late: it is the oldest, and makes room itself
    assert await store.get(TABLE, None, f"row-{last - 10}") is None
    changed = Record(f"row-{last - 1}", "acme", row(last - 1).at, {"n": 0})
    assert await store.put(TABLE, changed, expect=await store.get(TABLE, None, changed.id))
    assert [record.id for record in (await store.query(TABLE, tenant=None)).records][1] == changed.id
    assert await store.delete(TABLE, until=row(last).at) == 2
    assert [record.id for record in (await store.query(TABLE, tenant=None)).records] == [f"row-{last}"]


async def test_others_have_their_turn_while_many_rows_are_summed_as_they_were_at_the_start() -> None:
    store = MemoryRecords()
    await store.append(TABLE, [row(number, cost=1) for number in range(5 * STEP)])
    turns: list[int] = []

    async def others() -> None:
        for turn in range(100):
            await store.append(TABLE, [row(10_000 + turn, cost=1)])
            await store.delete(TABLE, until=float(turn))
            turns.append(turn)
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    (total,) = await store.aggregate(TABLE, tenant=None, sums=["cost"])
    assert (total.count, total.sums) == (5 * STEP, (5 * STEP,))
    assert 3 <= len(turns) <= 5
    await working


async def test_reading_makes_no_table() -> None:
    store = MemoryRecords()
    await store.query(TABLE, tenant=None)
    await store.aggregate(TABLE, tenant=None)
    assert store._tables == {}


async def test_it_is_a_record_store_that_ends_with_the_process() -> None:
    assert (MemoryRecords.kind, MemoryRecords.durable) == ("memory", False)
    assert tuple(sentinel_stores()) == (MemoryRecords,)


@pytest.mark.parametrize("table", [{"max_rows": 0}, {"max_row": 5}])
def test_a_mistake_in_the_records_table_is_refused(table: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, MemoryRecordsConfig)
