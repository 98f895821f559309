"""The record store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import Refusal
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.records.memory import MemoryRecords, MemoryRecordsConfig, sentinel_stores

TABLE = "usage"


def row(number: int, *, tenant: str = "acme", at: float | None = None, **fields: Any) -> Record:  # Any: JSON values
    """A row whose time is its number."""
    return Record(f"row-{number}", tenant, float(number) if at is None else at, fields)


async def filled(records: Sequence[Record], max_rows: int = 10_000) -> MemoryRecords:
    """A store with these rows."""
    store = MemoryRecords(MemoryRecordsConfig(max_rows=max_rows))
    await store.append(TABLE, records)
    return store


async def ids(store: MemoryRecords, **conditions: Any) -> list[str]:  # Any: the arguments of `query`
    """The first page's ids."""
    page = await store.query(TABLE, **{"tenant": None, **conditions})
    return [record.id for record in page.records]


async def walk(store: MemoryRecords, limit: int, meanwhile: Sequence[Record]) -> list[str]:
    """The ids of all pages, with a row appended after each."""
    seen, cursor, later = [], None, iter(meanwhile)
    while True:
        page = await store.query(TABLE, tenant=None, limit=limit, cursor=cursor)
        seen += [record.id for record in page.records]
        if page.cursor is None:
            return seen
        cursor = page.cursor
        await store.append(TABLE, [record for record in [next(later, None)] if record is not None])


@given(
    times=st.lists(st.sampled_from([0.0, 1.0, 2.5]), max_size=30),
    limit=st.integers(1, 7),
    arrivals=st.lists(st.sampled_from([0.0, 1.0, 2.5, 9.0]), max_size=10),
)
def test_paging_gives_every_row_exactly_once_whatever_arrives_meanwhile(
    times: list[float], limit: int, arrivals: list[float]
) -> None:
    async def scenario() -> None:
        present = [row(number, at=at) for number, at in enumerate(times)]
        store = await filled(present)
        seen = await walk(store, limit, [row(1_000 + number, at=at) for number, at in enumerate(arrivals)])
        assert len(seen) == len(set(seen))
        newest_first = sorted(present, key=lambda record: (record.at, record.id), reverse=True)
        assert [name for name in seen if name in {record.id for record in present}] == [r.id for r in newest_first]

    asyncio.run(scenario())


async def test_appending_the_same_id_again_changes_nothing() -> None:
    store = await filled([row(1, cost=5), row(1, cost=6)])
    await store.append(TABLE, [row(1, at=99.0, cost=7), row(2)])
    assert await ids(store) == ["row-2", "row-1"]
    first = await store.get(TABLE, None, "row-1")
    assert first is not None
    assert first.fields == {"cost": 5}


async def test_one_tenant_sees_nothing_of_another() -> None:
    store = await filled([row(1), row(2, tenant="globex"), row(3)])
    assert await ids(store, tenant="acme") == ["row-3", "row-1"]
    assert await ids(store, tenant="nobody") == []
    assert await store.get(TABLE, "acme", "row-2") is None
    assert await store.get(TABLE, "globex", "row-2") == row(2, tenant="globex")
    assert await store.get(TABLE, None, "row-2") == row(2, tenant="globex")


async def test_a_query_is_half_open_in_time_and_exact_in_its_fields() -> None:
    store = await filled([row(1, ok=True), row(2, ok=1), row(3, ok=False), row(4)])
    assert await ids(store, since=2.0, until=4.0) == ["row-3", "row-2"]
    assert await ids(store, where={"ok": True}) == ["row-1"]
    assert await ids(store, where={"ok": 1}) == ["row-2"]
    assert await ids(store, where={"ok": None}) == []


async def test_a_page_ends_where_its_conditions_do() -> None:
    store = await filled([row(number, tenant="acme" if number % 2 else "globex") for number in range(10)])
    page = await store.query(TABLE, tenant="acme", limit=5)
    assert (len(page.records), page.cursor) == (5, None)


async def test_l10_a_table_keeps_its_newest_rows() -> None:
    store = await filled([row(number) for number in (5, 1, 4, 2, 3)], max_rows=3)
    assert await ids(store) == ["row-5", "row-4", "row-3"]
    assert await store.get(TABLE, None, "row-1") is None


async def test_rows_older_than_a_moment_are_deleted() -> None:
    store = await filled([row(number) for number in range(5)])
    assert await store.delete(TABLE, until=3.0) == 3
    assert await ids(store) == ["row-4", "row-3"]
    assert await store.get(TABLE, None, "row-0") is None
    assert await store.delete("unknown", until=3.0) == 0


async def test_tables_are_apart_and_reading_makes_none() -> None:
    store = await filled([row(1)])
    assert (await store.query("audit", tenant=None)).records == ()
    assert await store.get("audit", None, "row-1") is None
    assert list(store._tables) == [TABLE]


@pytest.mark.parametrize("cursor", ["", "nonsense", "e30=", "WzEsMl0=", "ü", "MQ"])
async def test_a_cursor_from_elsewhere_is_refused(cursor: str) -> None:
    store = await filled([row(1)])
    with pytest.raises(Refusal) as refusal:
        await store.query(TABLE, tenant=None, cursor=cursor)
    assert (refusal.value.status, refusal.value.param) == (400, "cursor")


async def test_it_is_a_record_store_that_ends_with_the_process() -> None:
    async with MemoryRecords.open(MemoryRecordsConfig()) as store:
        assert isinstance(store, RecordStore)
        assert (store.kind, store.durable) == ("memory", False)
    assert tuple(sentinel_stores()) == (MemoryRecords,)


@pytest.mark.parametrize("table", [{"max_rows": 0}, {"max_row": 5}])
def test_a_mistake_in_the_records_table_is_refused(table: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, MemoryRecordsConfig)
