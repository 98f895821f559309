"""Rows are taken at once, written in their order and once, and never lost silently."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.records import Record
from sentinel_core.testing import FakeClock
from sentinel_plugins.recording.journal import GROUP, GROUP_BYTES, RETRY_S, Journal
from tests.pace import PATIENCE_S
from tests.plugins.recording.flaky import Flaky
from tests.plugins.recording.written import emptied
from tests.plugins.records.opened import sqlite


def rows(count: int, start: int = 0) -> list[Record]:
    return [Record(f"{number:05}", "", float(number), {}) for number in range(start, start + count)]


async def test_rows_are_written_in_groups_behind_whoever_adds_them() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        assert all(journal.add(record) for record in rows(3 * GROUP))
        assert len(journal) == 3 * GROUP
        await emptied(journal)
        assert store.groups == [GROUP] * 3
        assert await store.ids("t") == [record.id for record in rows(3 * GROUP)]


async def test_groups_of_large_rows_have_fewer_of_them() -> None:
    store = Flaky()
    large = {"content": {"request": "x" * (GROUP_BYTES // 2), "response": None}, "verdicts": [{"by": "pii"}]}
    rest = rows(3, start=5)
    async with Journal("t", store, FakeClock(), most_bytes=2**30).open() as journal:
        for record in [*(Record(row.id, "", row.at, large) for row in rows(5)), *rest]:
            journal.add(record)
        await emptied(journal)
    assert store.groups == [2, 2, 4]
    assert await store.ids("t") == [record.id for record in rows(8)]


async def test_rows_that_are_left_are_written_when_it_ends() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        for record in rows(GROUP + 1):
            journal.add(record)
    assert await store.ids("t") == [record.id for record in rows(GROUP + 1)]


async def test_r13_rows_wait_for_a_store_that_does_not_answer_and_are_written_once() -> None:
    store, clock = Flaky(), FakeClock()
    async with Journal("t", store, clock).open() as journal:
        store.down = True
        for record in rows(5):
            journal.add(record)
        await journal.caught_up()  # which an outage does not hold up
        assert (len(journal), store.groups) == (5, [])
        store.down = False
        await clock.advance(1)
        assert (len(journal), await store.ids("t")) == (0, [record.id for record in rows(5)])


async def test_rows_without_room_are_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock(), most=3).open() as journal:
        assert [journal.add(record) for record in rows(5)] == [True, True, True, False, False]
        assert journal.dropped == 2
    assert "no room for a row, 2 dropped so far" in caplog.text


async def test_l10_large_rows_wait_up_to_so_many_bytes_and_one_that_is_larger_alone() -> None:
    store, clock = Flaky(), FakeClock()
    store.down = True
    large = [Record(row.id, "", row.at, {"content": "漢" * 130}) for row in rows(6)]
    huge = Record("huge", "", 1.0, {"content": "x" * 4_000})
    async with AsyncExitStack() as older:
        before = await older.enter_async_context(Journal("t", store, clock, most_bytes=1_000).open())
        async with Journal("t", store, clock, most_bytes=1_000).open() as journal:
            assert [before.add(record) for record in large[:4]] == [True, True, False, False]
            await before.caught_up()
            await clock.advance(1)
            assert before.add(large[4]) is False, "what was refused once waits still"
            await older.aclose()
            assert journal.add(large[5]) is False, "and what another one left"
            store.down = False
            await clock.advance(1)
            await emptied(journal)
            assert [journal.add(huge), journal.add(large[5])] == [True, False]
    assert journal.dropped == 5


async def test_d01_whoever_waits_for_a_row_is_refused_and_at_once_during_the_outage() -> None:
    store, clock = Flaky(), FakeClock()
    first, second, third = rows(3)
    async with Journal("t", store, clock).open() as journal:
        await journal.write(first)
        assert await store.ids("t") == [first.id]
        store.down = True
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await journal.write(second)
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await journal.write(third)  # the clock stands still: nothing was tried
        store.down = False
        await clock.advance(1)
        await journal.write(third)
        assert await store.ids("t") == [first.id, second.id, third.id]


async def test_a_row_that_can_never_be_written_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        journal.add(Record("bad", "", -1.0, {}))
        await journal.caught_up()
        journal.add(rows(1)[0])
    assert await store.ids("t") == ["00000"]
    assert (journal.dropped, "1 rows cannot be written" in caplog.text) == (1, True)


async def test_a_row_that_can_never_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    bad = Record("bad", "", 2.0, {"user": "half a pair: \ud800"})
    async with sqlite(tmp_path) as store:
        async with Journal("t", store, FakeClock()).open() as journal:
            for record in (*rows(2), bad, *rows(2, start=5)):
                journal.add(record)
            with pytest.raises(Refusal, match="ledger_unavailable"):
                await journal.write(rows(1, start=9)[0])  # whether it is written is not known now
            await journal.caught_up()
            assert (journal.dropped, len(journal)) == (1, 0)
        page = await store.query("t", tenant=None)
        assert [record.id for record in reversed(page.records)] == ["00000", "00001", "00005", "00006", "00009"]


async def test_rows_that_cannot_be_finished_end_nothing() -> None:
    def finish(records: Sequence[Record]) -> Sequence[Record]:
        if records[0].id == "00000":
            raise ValueError
        return records

    store = Flaky()
    async with Journal("t", store, FakeClock(), finish=finish).open() as journal:
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await journal.write(rows(1)[0])
        await journal.write(rows(1, start=1)[0])
        assert journal.dropped == 1
    assert await store.ids("t") == ["00001"]


class Unmade:
    """A row that counts how often it was made; without one, it cannot be."""

    def __init__(self, row: Record | None) -> None:
        self.row = row
        self.made = 0

    def record(self) -> Record:
        self.made += 1
        if self.row is None:
            raise ValueError("no row")
        return self.row


async def test_a_row_is_made_once_where_it_is_written_however_often_that_is_tried() -> None:
    store, clock = Flaky(), FakeClock()
    unmade = [Unmade(row) for row in rows(3)]
    async with Journal("t", store, clock).open() as journal:
        store.down = True
        assert all(journal.add(row) for row in unmade)
        assert [row.made for row in unmade] == [0, 0, 0]
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await journal.write(rows(1, start=3)[0])
        assert [row.made for row in unmade] == [1, 1, 1]
        store.down = False
        await clock.advance(RETRY_S)
        await emptied(journal)
    assert [row.made for row in unmade] == [1, 1, 1]
    assert await store.ids("t") == [row.id for row in rows(4)]


async def test_a_row_that_cannot_be_made_costs_no_other_its_place(caplog: pytest.LogCaptureFixture) -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        for row in (Unmade(None), Unmade(rows(1)[0]), Unmade(None)):
            journal.add(row)
        await emptied(journal)
        assert journal.dropped == 2
        journal.add(Unmade(None))
        await emptied(journal)
        journal.add(rows(1, start=1)[0])
    assert await store.ids("t") == ["00000", "00001"]
    assert caplog.messages == ["t: a row cannot be made and is dropped"] * 3


async def test_rows_that_come_one_by_one_are_written_together() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        for record in rows(20):
            journal.add(record)
            await asyncio.sleep(0)
        await emptied(journal)
        assert store.groups == [20]
        journal.add(rows(1, 20)[0])
        await emptied(journal)
    assert store.groups == [20, 1]


async def test_a_row_that_somebody_waits_for_takes_the_others_with_it() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        journal.add(rows(1)[0])
        await journal.write(rows(1, 1)[0])
        assert store.groups == [2]


async def test_whoever_reads_finds_what_was_taken_before() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        await journal.caught_up()  # of nothing
        for number in range(3):  # the second and third while a group is on its way
            journal.add(rows(1, number)[0])
            reading = asyncio.create_task(journal.caught_up())
            await asyncio.sleep(0)
        left = asyncio.create_task(journal.caught_up())
        await asyncio.sleep(0)
        left.cancel()  # whoever leaves keeps nobody
        await reading
        assert await store.ids("t") == ["00000", "00001", "00002"]


async def test_whoever_reads_while_it_ends_is_let_go() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        journal.add(rows(1)[0])
        reading = asyncio.create_task(journal.caught_up())
    await asyncio.wait_for(reading, PATIENCE_S)
    assert await store.ids("t") == ["00000"]


async def test_of_one_that_is_closed_nothing_is_left_and_nobody_waits() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        journal.add(rows(1)[0])
        assert journal._gathering is not None
        timer = journal._gathering
    assert timer.cancelled()
    journal.add(rows(1, 1)[0])
    await asyncio.wait_for(journal.caught_up(), PATIENCE_S)
    with pytest.raises(Refusal, match="ledger_unavailable"):
        await journal.write(rows(1, 2)[0])


async def test_whoever_waits_and_leaves_breaks_nothing() -> None:
    store = Flaky()
    async with Journal("t", store, FakeClock()).open() as journal:
        waiting = asyncio.create_task(journal.write(rows(1)[0]))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await journal.write(rows(1, 1)[0])
    assert await store.ids("t") == ["00000", "00001"]
