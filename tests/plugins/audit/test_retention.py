"""P11: retention deletes and signs for nothing that somebody else made old."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sentinel_core.json_types import TomlTable
from sentinel_core.records import Record, RecordStore
from sentinel_core.testing import FakeClock, fake_services, settle
from sentinel_plugins.audit.checkpoints import Checkpoints, Kind, Noted, read, signed
from sentinel_plugins.audit.entry import TABLE
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.audit.seal import Head, Keys, Sealer, row_id
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.records.memory import MemoryRecords
from tests.plugins.audit.verified import verify, verify_stored
from tests.plugins.records.opened import opened, sqlite

KEYS = Keys(b"a key of the tests")
NOW, KEPT_S = 1000.0, 100.0
LATE = NOW - KEPT_S / 2
EARLY = NOW - KEPT_S * 2

Tamper: TypeAlias = Callable[[sqlite3.Connection], object]
Change: TypeAlias = Callable[[list[Record]], list[Record]]


def chain(*moments: float, keys: Keys | None = KEYS, writer: str = "w") -> list[Record]:
    return [*Sealer(keys, writer).seal([Record("", "acme", at, {"kind": "terminal"}) for at in moments])]


def note(notes: Path, record: Record, kind: Kind) -> None:
    """What a gateway has noted of the writer of this record."""
    fields = record.fields
    with notes.open("a") as file:
        file.write(signed(kind, NOW, {fields["writer"]: Head(fields["seq"], fields["mac"])}, KEYS) + "\n")


@asynccontextmanager
async def retention(
    records: RecordStore, notes: Path, keys: Keys = KEYS, clock: FakeClock | None = None
) -> AsyncIterator[Retention]:
    async with fake_services() as services:
        yield Retention(
            records, clock or FakeClock(NOW), KEPT_S, Checkpoints(notes, keys, services.executor), Witness()
        )


def backdate(file: sqlite3.Connection) -> object:
    return file.execute("UPDATE records SET at = 1.0")


def forge(text: str) -> Tamper:
    """Every row is gone, and one that nobody sealed is there."""

    def forged(file: sqlite3.Connection) -> object:
        file.execute("DELETE FROM records")
        return file.execute("INSERT INTO records VALUES (1, 'audit', 'x', '', 1.0, ?)", [text])

    return forged


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as file, file:
        yield file


@pytest.mark.parametrize(
    ("tamper", "names"),
    [
        (backdate, row_id("w", 3)),
        (forge('{"id":"x","tenant":"","at":1.0,"fields":{"writer":"w","seq":99999,"mac":"0"}}'), "x"),
        (forge('{"id":"x","tenant":"","at":1.0,"fields":{}}'), "x"),
    ],
)
async def test_p11_what_was_made_old_is_neither_deleted_nor_signed_for(
    tamper: Tamper, names: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notes = tmp_path / "notes"
    async with sqlite(tmp_path) as records, retention(records, notes) as job:
        await records.append(TABLE, chain(LATE, LATE + 1, LATE + 2))
        with connected(tmp_path / "sentinel.db") as file:
            tamper(file)
        before = await records.query(TABLE, tenant=None)
        assert await job.forget() == 0
        assert await records.query(TABLE, tenant=None) == before
    assert not notes.exists()
    assert f"{names!r} is not as it was written" in caplog.text


async def test_a_record_that_was_edited_stays_to_be_seen(tmp_path: Path) -> None:
    records, (one, two) = MemoryRecords(), chain(EARLY, EARLY + 1)
    await records.append(TABLE, [one, Record(two.id, "another", two.at, two.fields)])
    async with retention(records, tmp_path / "notes") as job:
        assert await job.forget() == 0
    assert len((await records.query(TABLE, tenant=None)).records) == 2


def unsealed(record: Record, **changes: str) -> Record:
    fields = {**record.fields, "mac": "", "model": "another", **changes}
    return Record(row_id(fields["writer"], fields["seq"]), record.tenant, record.at, fields)


TAKEN: dict[str, tuple[Change, str]] = {
    "two from the middle": (lambda rows: [*rows[:3], *rows[5:]], "2 records are missing"),
    "the first": (lambda rows: rows[1:], "the beginning is missing"),
    "a seal": (lambda rows: [*rows[:3], unsealed(rows[3]), *rows[4:]], f"{row_id('w', 4)!r} is not as it was written"),
    "every seal": (lambda rows: [*map(unsealed, rows)], "is not as it was written"),
    "a seal and its writer": (lambda rows: [*rows[:3], unsealed(rows[3], writer="v"), *rows[4:]], "1 record is miss"),
}


@pytest.mark.parametrize("what", TAKEN)
async def test_p11_what_is_missing_or_lost_its_seal_is_neither_deleted_nor_signed_for(
    what: str, records_table: TomlTable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notes, rows = tmp_path / "notes", chain(*(EARLY + n for n in range(8)))
    change, says = TAKEN[what]
    if (what, records_table["kind"]) == ("the first", "memory"):  # it forgets the oldest by itself
        return
    async with opened(records_table) as records, retention(records, notes) as job:
        await records.append(TABLE, [*chain(EARLY, writer="u"), *change(rows)])
        note(notes, rows[-1], "head")
        assert await job.forget() == 0
        left = [row async for row in records.scan(TABLE)]
    assert len(left) == len(change(rows)) + 1
    assert says in caplog.text
    assert read(notes, KEYS).cuts == {}
    assert verify_stored(left, KEYS, read(notes, KEYS)).findings != ()


async def test_p11_an_end_that_was_taken_is_still_missed_after_the_rest_was_deleted(tmp_path: Path) -> None:
    notes, rows = tmp_path / "notes", chain(EARLY, EARLY + 1, EARLY + 2)
    async with sqlite(tmp_path) as records, retention(records, notes) as job:
        await records.append(TABLE, rows[:2])
        note(notes, rows[-1], "head")
        assert await job.forget() == 2
    (finding,) = verify([], KEYS, read(notes, KEYS)).findings
    assert finding.message == "1 record at the end is missing"


async def test_rows_that_wait_in_a_spool_are_waited_for(tmp_path: Path) -> None:
    notes, rows = tmp_path / "notes", chain(*(EARLY + n for n in range(5)))
    async with sqlite(tmp_path) as records, retention(records, notes) as job:
        await records.append(TABLE, [rows[0], *rows[3:]])
        assert await job.forget() == 0
        await records.append(TABLE, rows[1:3])
        assert await job.forget() == 5


async def test_each_look_goes_on_where_one_before_it_ended_whoever_looked(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    rows = {name: chain(EARLY, EARLY + 1, NOW - KEPT_S + 10, NOW - KEPT_S + 35, writer=name) for name in ("v", "w")}
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, [*rows["v"], *rows["w"]])
        note(notes, rows["v"][-1], "head")
        note(notes, rows["w"][-1], "head")
        for later, count in enumerate((4, 2, 2)):
            async with retention(records, notes, clock=FakeClock(NOW + later * KEPT_S / 4)) as job:
                assert await job.forget() == count
    assert verify([], KEYS, read(notes, KEYS)).findings == ()


async def test_what_comes_while_old_records_are_deleted_stays_for_the_next_time(
    records_table: TomlTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of a spool, between the note of what will go and its end: no note says that this went."""
    notes, rows, strangers = tmp_path / "notes", chain(*(EARLY + n for n in range(9))), chain(EARLY, writer="v")
    async with opened(records_table) as records, retention(records, notes) as job:
        await records.append(TABLE, [*rows[:4], *chain(EARLY, EARLY, keys=None, writer="u")])
        note(notes, rows[-1], "head")
        noted = Checkpoints.note

        async def interrupted(self: Checkpoints, *what: Any) -> bool:  # as there
            done = await noted(self, *what)
            await records.append(TABLE, [*rows[4:], *strangers])
            return done

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Checkpoints, "note", interrupted)
            assert await job.forget() == 6
        left = [row async for row in records.scan(TABLE)]
        assert {row.id for row in left} == {row.id for row in (*rows[4:], *strangers)}
        assert verify_stored(left, KEYS, read(notes, KEYS)).findings == ()
        assert await job.forget() == 6
    assert verify([], KEYS, read(notes, KEYS)).findings == ()


async def test_many_old_records_go_in_steps(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as records, retention(records, tmp_path / "notes") as job:
        for writer in ("v", "w"):
            await records.append(TABLE, chain(*(EARLY + n / 1000 for n in range(1_300)), LATE, writer=writer))
        assert await job.forget() == 2 * 1_300
        assert len((await records.query(TABLE, tenant=None)).records) == 2


async def test_what_another_gateway_is_deleting_is_not_missing(tmp_path: Path) -> None:
    """It has noted its cut, and not yet deleted all of it."""
    notes, rows = tmp_path / "notes", chain(*(EARLY + n for n in range(6)))
    async with sqlite(tmp_path) as records, retention(records, notes) as job:
        await records.append(TABLE, [rows[1], *rows[3:]])
        note(notes, rows[-1], "head")
        note(notes, rows[3], "cut")
        assert await job.forget() == 4
    assert read(notes, KEYS).cuts == {"w": Head(6, rows[5].fields["mac"])}


async def test_records_from_before_there_were_checkpoints_may_begin_anywhere(tmp_path: Path) -> None:
    """Retention deleted what was before them, and had no place to note it."""
    async with sqlite(tmp_path) as records, retention(records, tmp_path / "notes") as job:
        await records.append(TABLE, chain(EARLY, EARLY + 1, EARLY + 2)[1:])
        assert await job.forget() == 2


async def test_d05_a_cut_is_remembered_where_the_file_was_moved_away(tmp_path: Path) -> None:
    notes, rows = tmp_path / "notes", chain(EARLY, LATE, LATE + 1)
    clock = FakeClock(NOW)
    async with sqlite(tmp_path) as records, retention(records, notes, clock=clock) as job:
        await records.append(TABLE, rows)
        assert await job.forget() == 1
        assert await job.forget() == 0
        notes.rename(tmp_path / "rotated")
        note(notes, rows[-1], "head")
        await clock.advance(KEPT_S)
        assert await job.forget() == 2
    assert verify([], KEYS, read(notes, KEYS)).findings == ()


async def test_while_the_checkpoints_cannot_be_read_nothing_is_deleted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = MemoryRecords()
    await records.append(TABLE, chain(EARLY))
    async with retention(records, tmp_path) as job:
        assert await job.forget() == 0
    assert "the checkpoints cannot be read" in caplog.text


async def test_records_from_before_there_was_a_key_are_deleted_and_not_signed_for(tmp_path: Path) -> None:
    records, notes = MemoryRecords(), tmp_path / "notes"
    await records.append(TABLE, [*chain(EARLY, keys=None, writer="v"), *chain(LATE)])
    async with retention(records, notes) as job:
        assert await job.forget() == 1
        assert not notes.exists()


async def test_the_last_old_record_of_each_writer_is_signed_for(tmp_path: Path) -> None:
    records, notes, rows = MemoryRecords(), tmp_path / "notes", chain(EARLY, EARLY + 1, LATE)
    await records.append(TABLE, rows)
    async with retention(records, notes) as job:
        assert await job.forget() == 2
    assert read(notes, KEYS) == Noted({}, {"w": Head(2, rows[1].fields["mac"])})


async def test_records_that_were_sealed_with_a_previous_key_are_deleted_and_the_current_one_signs(
    tmp_path: Path,
) -> None:
    records, notes = MemoryRecords(), tmp_path / "notes"
    old = chain(EARLY, keys=Keys(b"the key until yesterday"))
    await records.append(TABLE, old)
    async with retention(records, notes) as job:
        assert await job.forget() == 0
    async with retention(records, notes, Keys(KEYS.current, (b"the key until yesterday",))) as job:
        assert await job.forget() == 1
    assert read(notes, KEYS) == Noted({}, {"w": Head(1, old[0].fields["mac"])})


async def test_the_job_outlives_whatever_one_look_ends_in(caplog: pytest.LogCaptureFixture) -> None:
    records, clock = MemoryRecords(), FakeClock(NOW)
    await records.append(TABLE, chain(EARLY))
    job = Retention(records, clock, KEPT_S, None, Witness())
    broken, delete = [RuntimeError("a mistake")], records.delete

    async def once_broken(table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        if broken:
            raise broken.pop()
        return await delete(table, until=until, ids=ids)

    records.delete = once_broken  # type: ignore[method-assign]
    task = asyncio.create_task(job.run())
    await settle()
    assert "old audit records stay for now" in caplog.text
    await clock.advance(60)
    assert (await records.query(TABLE, tenant=None)).records == ()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
