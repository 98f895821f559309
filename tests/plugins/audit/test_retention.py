"""P11: retention deletes and signs for nothing that somebody else made old."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from sentinel_core.records import Record, RecordStore
from sentinel_core.testing import FakeClock, fake_services, settle
from sentinel_plugins.audit.checkpoints import Checkpoints, Noted, read
from sentinel_plugins.audit.entry import TABLE
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.audit.seal import Head, Keys, Sealer, row_id
from sentinel_plugins.records.memory import MemoryRecords
from tests.plugins.records.opened import sqlite

KEYS = Keys(b"a key of the tests")
NOW, KEPT_S = 1000.0, 100.0
LATE = NOW - KEPT_S / 2
EARLY = NOW - KEPT_S * 2

Tamper: TypeAlias = Callable[[sqlite3.Connection], object]


def chain(*moments: float, keys: Keys | None = KEYS, writer: str = "w") -> list[Record]:
    return [*Sealer(keys, writer).seal([Record("", "acme", at, {"kind": "terminal"}) for at in moments])]


@asynccontextmanager
async def retention(records: RecordStore, notes: Path, keys: Keys = KEYS) -> AsyncIterator[Retention]:
    async with fake_services() as services:
        yield Retention(records, FakeClock(NOW), KEPT_S, Checkpoints(notes, keys, services.executor))


def backdate(file: sqlite3.Connection) -> object:
    return file.execute("UPDATE records SET at = 1.0")


def forge(text: str) -> Tamper:
    """Every row is gone, and one that nobody sealed is there."""

    def forged(file: sqlite3.Connection) -> object:
        file.execute("DELETE FROM records")
        return file.execute("INSERT INTO records VALUES (1, 'audit', 'x', '', 1.0, ?)", [text])

    return forged


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
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
        with opened(tmp_path / "sentinel.db") as file:
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
    job = Retention(records, clock, KEPT_S, None)
    broken, delete = [RuntimeError("a mistake")], records.delete

    async def once_broken(table: str, *, until: float) -> int:
        if broken:
            raise broken.pop()
        return await delete(table, until=until)

    records.delete = once_broken  # type: ignore[method-assign]
    task = asyncio.create_task(job.run())
    await settle()
    assert "old audit records stay for now" in caplog.text
    await clock.advance(60)
    assert (await records.query(TABLE, tenant=None)).records == ()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
