"""Every record store, one sentence at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.records import DAY, TENANT, Group, Page, Record, RecordStore
from sentinel_plugins.recording.pages import newest
from tests.plugins.records.opened import Opener, row

TABLE = "usage"
MB = 2**20


async def ids(store: RecordStore, **conditions: Any) -> list[str]:  # Any: the arguments of `query`
    """The first page's ids."""
    page = await store.query(TABLE, **{"tenant": None, **conditions})
    return [record.id for record in page.records]


async def walk(store: RecordStore, limit: int, meanwhile: Sequence[Record]) -> list[str]:
    """The ids of all pages, with a row appended after each."""
    seen, cursor, later = [], None, iter(meanwhile)
    while True:
        page = await store.query(TABLE, tenant=None, limit=limit, cursor=cursor)
        seen += [record.id for record in page.records]
        if page.cursor is None:
            return seen
        cursor = page.cursor
        await store.append(TABLE, [record for record in [next(later, None)] if record is not None])


async def test_paging_gives_every_row_exactly_once_whatever_arrives_meanwhile(records: RecordStore) -> None:
    present = [row(number, at=number // 3) for number in range(20)]
    arrivals = [row(1_000 + number, at=number) for number in range(10)]
    await records.append(TABLE, present)
    seen = await walk(records, 3, arrivals)
    assert len(seen) == len(set(seen))
    newest_first = sorted(present, key=lambda record: (record.at, record.id), reverse=True)
    assert [name for name in seen if name in {record.id for record in present}] == [r.id for r in newest_first]


async def test_d02_paging_is_stable_while_others_write(records: RecordStore) -> None:
    present = [row(number) for number in range(60)]
    await records.append(TABLE, present)
    async with asyncio.TaskGroup() as group:
        walking = group.create_task(walk(records, 7, []))
        for number in range(60):
            group.create_task(records.append(TABLE, [row(1_000 + number, at=30.5)]))
    seen = walking.result()
    assert len(seen) == len(set(seen))
    assert {record.id for record in present} <= set(seen)


async def test_s04_appending_the_same_id_again_changes_nothing(records: RecordStore) -> None:
    await records.append(TABLE, [row(1, cost=5), row(1, cost=6)])
    await records.append(TABLE, [row(1, at=99.0, cost=7), row(2)])
    await records.append(TABLE, [row(1, tenant="globex")])
    assert await ids(records) == ["row-2", "row-1"]
    first = await records.get(TABLE, "acme", "row-1")
    assert first is not None
    assert first.fields == {"cost": 5}


@pytest.mark.parametrize("at", [-1.0, float("nan"), float("inf"), 1e12])
async def test_a_batch_with_a_row_that_cannot_be_kept_is_none(records: RecordStore, at: float) -> None:
    with pytest.raises(ValueError, match="not a time"):
        await records.append(TABLE, [row(1), row(2, at=at), row(3)])
    assert await ids(records) == []


async def test_one_tenant_sees_nothing_of_another(records: RecordStore) -> None:
    await records.append(TABLE, [row(1), row(2, tenant="globex"), row(3)])
    assert await ids(records, tenant="acme") == ["row-3", "row-1"]
    assert await ids(records, tenant="nobody") == []
    assert await records.get(TABLE, "acme", "row-2") is None
    assert await records.get(TABLE, "globex", "row-2") == row(2, tenant="globex")
    assert await records.get(TABLE, None, "row-2") == row(2, tenant="globex")


async def test_a_query_is_half_open_in_time_and_exact_in_its_fields(records: RecordStore) -> None:
    await records.append(TABLE, [row(1, ok=True), row(2, ok=1), row(3, ok=False), row(4), row(5, ok=None)])
    assert await ids(records, since=2.0, until=4.0) == ["row-3", "row-2"]
    assert await ids(records, where={"ok": True}) == ["row-1"]
    assert await ids(records, where={"ok": 1}) == ["row-2"]
    assert await ids(records, where={"ok": None}) == ["row-5"]


async def test_a_page_ends_where_its_conditions_do(records: RecordStore) -> None:
    await records.append(TABLE, [row(number, tenant="acme" if number % 2 else "globex") for number in range(10)])
    page = await records.query(TABLE, tenant="acme", limit=5)
    assert (len(page.records), page.cursor) == (5, None)


async def test_a_page_of_large_rows_is_shorter_and_its_cursor_goes_on(records: RecordStore) -> None:
    sizes = [MB // 2] * 12 + [6 * MB, 1, 6 * MB] + [1] * 30
    rows = [row(number, kind="terminal", text="x" * size) for number, size in enumerate(sizes)]
    for record in rows:
        await records.append(TABLE, [record])
    cursor, pages = None, []
    while True:
        page = await records.query(TABLE, tenant=None, where={"kind": "terminal"}, limit=25, cursor=cursor)
        pages.append(page.records)
        if (cursor := page.cursor) is None:
            break
    assert [record for page_ in pages for record in page_] == rows[::-1]
    assert [len(page_) for page_ in pages] == [25, 6, 2, 8, 4]
    assert await newest(records, TABLE, 40, tenant="acme") == Page(
        tuple(rows[:-41:-1]), (await records.query(TABLE, tenant=None, until=rows[-39].at, limit=1)).cursor
    )


async def test_rows_older_than_a_moment_are_deleted(records: RecordStore) -> None:
    await records.append(TABLE, [row(number) for number in range(5)])
    assert await records.delete(TABLE, until=3.0) == 3
    assert await ids(records) == ["row-4", "row-3"]
    assert await records.get(TABLE, None, "row-0") is None
    assert await records.delete("unknown", until=3.0) == 0


async def test_retention_takes_as_many_steps_as_it_needs(records: RecordStore) -> None:
    await records.append(TABLE, [row(number) for number in range(1_203)])
    deleted, _ = await asyncio.gather(records.delete(TABLE, until=1_201.0), records.append(TABLE, [row(9_999)]))
    assert deleted == 1_201
    assert await ids(records) == ["row-9999", "row-1202", "row-1201"]


async def test_of_rows_that_somebody_has_read_these_are_deleted_and_no_other(records: RecordStore) -> None:
    await records.append(TABLE, [row(number, tenant=f"t{number % 3}", cost=1) for number in range(1_300)])
    read = [f"row-{number}" for number in range(0, 1_300, 2)]
    late = row(5_000, tenant="t1", at=1.0, cost=1)
    deleted, _ = await asyncio.gather(
        records.delete(TABLE, until=1_201.0, ids=iter([*read, "row-0", "unknown"])), records.append(TABLE, [late])
    )
    assert deleted == 601
    left = [row(n, tenant=f"t{n % 3}", cost=1) for n in range(1_300) if n % 2 or n >= 1_201]
    assert (await records.query(TABLE, tenant=None, until=3.0)).records == (late, left[0])
    for tenant, rows in ((None, left), ("t2", [record for record in left if record.tenant == "t2"])):
        (total,) = await records.aggregate(TABLE, tenant=tenant, sums=["cost"])
        assert total.count == total.sums[0] == len(rows) + (tenant is None)
    assert await records.get(TABLE, None, "row-0") is None
    assert await records.delete(TABLE, until=1_201.0, ids=read) == 0
    assert await records.delete(TABLE, until=1_201.0, ids=[]) == 0
    assert await records.delete("unknown", until=1_201.0, ids=read) == 0


async def test_a_row_that_has_come_anew_since_it_was_read_stays(records: RecordStore) -> None:
    await records.append(TABLE, [row(1), row(2)])
    assert await records.delete(TABLE, until=3.0, ids=["row-1"]) == 1
    await records.append(TABLE, [row(1, at=99.0)])
    assert await records.delete(TABLE, until=3.0, ids=["row-1", "row-2"]) == 1
    assert await ids(records) == ["row-1"]


async def test_tables_are_apart(records: RecordStore) -> None:
    await records.append(TABLE, [row(1)])
    assert (await records.query("audit", tenant=None)).records == ()
    assert await records.get("audit", None, "row-1") is None
    assert await records.aggregate("audit", tenant=None) == ()


async def test_a_row_is_replaced_only_by_who_knows_it(records: RecordStore) -> None:
    """Two who change one key at one time: the second one reads again."""
    key = row(1, name="ci", revoked=False)
    assert await records.put("keys", key, expect=None)
    assert not await records.put("keys", key, expect=None)
    revoked, renamed = row(1, name="ci", revoked=True), row(1, name="cd", revoked=False)
    answers = await asyncio.gather(*(records.put("keys", new, expect=key) for new in (revoked, renamed)))
    assert sorted(answers) == [False, True]
    assert await records.get("keys", "acme", "row-1") == (revoked if answers[0] else renamed)


async def test_a_row_is_known_whatever_the_order_of_its_fields(records: RecordStore) -> None:
    await records.put("keys", row(1, name="ci", limits={"a": 1, "b": 2}), expect=None)
    known = row(1, limits={"b": 2, "a": 1}, name="ci")
    assert await records.put("keys", row(1), expect=known)


@pytest.mark.parametrize("moved", [row(2), row(1, tenant="globex"), row(1, at=2.0)])
async def test_a_row_keeps_its_place(records: RecordStore, moved: Record) -> None:
    await records.append("keys", [row(1)])
    with pytest.raises(ValueError, match="keeps its id"):
        await records.put("keys", moved, expect=row(1))


async def test_p4_sums_by_key_by_tenant_and_by_day_are_the_total(records: RecordStore) -> None:
    large = 2**62 + 1
    rows = [
        row(number, tenant=f"t{number % 3}", at=number * 40_000.0, key=f"k{number % 5}", cost_nanousd=large + number)
        for number in range(60)
    ]
    await records.append(TABLE, rows)
    total = sum(large + number for number in range(60))
    for group_by in ([], ["key"], [TENANT], [DAY], [TENANT, "key", DAY]):
        groups = await records.aggregate(TABLE, tenant=None, group_by=group_by, sums=["cost_nanousd"])
        assert sum(group.sums[0] for group in groups) == total
        assert sum(group.count for group in groups) == 60
    (first_day,) = await records.aggregate(TABLE, tenant="t0", group_by=[DAY], until=86_400.0, sums=["cost_nanousd"])
    assert first_day == Group(("1970-01-01",), 1, (large,))


async def test_p4_an_explicit_zero_is_a_cost_and_what_is_no_integer_is_none(records: RecordStore) -> None:
    await records.append(TABLE, [row(0, cost=0), row(1), row(2, cost=None), row(3, cost=1.5), row(4, cost=True)])
    groups = await records.aggregate(TABLE, tenant=None, group_by=["cost"], sums=["cost"])
    assert {group.values[0]: group.count for group in groups if group.values[0] is not True} == {0: 1, None: 2, 1.5: 1}
    assert all(group.sums == (0,) for group in groups)


@pytest.mark.parametrize("name", ["", "a b", "a'", 'a"', "a.b", "@week", "1a"])
async def test_only_identifiers_can_be_asked_for(records: RecordStore, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a field"):
        await records.query(TABLE, tenant=None, where={name: 1})
    with pytest.raises(ValueError, match="not the name of a field"):
        await records.aggregate(TABLE, tenant=None, group_by=[name])
    with pytest.raises(ValueError, match="not the name of a field"):
        await records.aggregate(TABLE, tenant=None, sums=[name])


@pytest.mark.parametrize("cursor", ["", "nonsense", "e30=", "WzEsMl0=", "ü", "MQ"])
async def test_a_cursor_from_elsewhere_is_refused(records: RecordStore, cursor: str) -> None:
    with pytest.raises(Refusal) as refusal:
        await records.query(TABLE, tenant=None, cursor=cursor)
    assert (refusal.value.status, refusal.value.param) == (400, "cursor")


async def test_p11_any_text_comes_back_as_it_was(records: RecordStore) -> None:
    strange = "".join(map(chr, (0, 10, 31, 34, 39, 92, 127, 0x85, 0x2028, 0xFFFF, 0x1F600)))
    record = Record(strange, strange, 1762000000.1234567, {strange: strange, "user": strange})
    await records.append(strange, [record])
    assert await records.get(strange, strange, strange) == record
    assert (await records.query(strange, tenant=strange, where={"user": strange})).records == (record,)
    assert await records.delete(strange, until=record.at + 1, ids=[strange]) == 1


async def test_rows_outlive_a_durable_store_and_no_other(opener: Opener) -> None:
    async with opener() as store:
        await store.append(TABLE, [row(1)])
        await store.put("keys", row(1, revoked=False), expect=None)
        await store.put("keys", row(1, revoked=True), expect=row(1, revoked=False))
    async with opener() as again:
        assert isinstance(again, RecordStore)
        assert await ids(again) == (["row-1"] if again.durable else [])
        assert await again.get("keys", None, "row-1") == (row(1, revoked=True) if again.durable else None)
