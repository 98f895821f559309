"""A disk that is full, read-only, frozen or gone: refused in time, mended without a restart, nothing lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.records import Record
from sentinel_plugins.records.sqlite import SqliteRecords, reads
from tests.pace import in_time, until
from tests.plugins.records.opened import row, sqlite
from tests.plugins.records.sqlite_faults import QUICK_S, Disk, FullDisk, SmallDisk, may_mount, mounted, on

TABLE = "audit"
HANGS_S = 5.0
"""Beyond this a test calls it a hang: half of what a patient store waits, and of what a frozen disk takes for good."""


async def refused(store: SqliteRecords, *rows: Record) -> None:
    """That an append is refused."""
    with pytest.raises(Refusal) as refusal:
        await store.append(TABLE, rows)
    assert (refusal.value.status, refusal.value.code) == (503, "ledger_unavailable")


async def each_refused(store: SqliteRecords, numbers: range) -> None:
    """One after the other."""
    for number in numbers:
        await refused(store, row(number))


async def ids(store: SqliteRecords) -> set[str]:
    """Every row there is."""
    page = await store.query(TABLE, tenant=None, limit=10_000)
    assert page.cursor is None
    return {record.id for record in page.records}


def integrity(file: Path) -> str:
    """SQLite's own word."""
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.fixture
def disk() -> Disk:
    """A disk of one's own."""
    return Disk()


@pytest.fixture
async def store(disk: Disk, tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    """A store on it, which waits longer than a test does."""
    async with on(disk, tmp_path) as opened:
        yield opened


@pytest.fixture
async def quick(disk: Disk, tmp_path: Path) -> AsyncIterator[SqliteRecords]:
    """A store on it that soon gives up, which it may do on a busy machine too: ask it `until` it accepts."""
    async with on(disk, tmp_path, timeout_s=QUICK_S) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["limit", *(["file_system"] if may_mount() else [])])
async def test_d01_a_full_disk_is_refused_and_recovers_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    with mounted(tmp_path) if kind == "file_system" else nullcontext():
        full = SmallDisk(tmp_path) if kind == "file_system" else FullDisk()
        async with on(full, tmp_path) as store:
            await store.append(TABLE, [row(0)])
            full.fill()
            await refused(store, row(-1, at=0.0, text="x" * 500_000))  # what free pages there were
            for number in range(1, 20):
                await in_time(refused(store, row(number, text="x" * 50_000)), HANGS_S)
            assert await ids(store) == {"row-0"}
            full.free()
            await store.append(TABLE, [row(number, text="x" * 50_000) for number in range(1, 20)])
            assert await ids(store) == {f"row-{number}" for number in range(20)}
        assert integrity(tmp_path / "sentinel.db") == "ok"
    logged = [record.message for record in caplog.records if record.name == "sentinel.records"]
    assert [message.rpartition(":")[2] for message in logged] == [" database or disk is full", mended(tmp_path)]


def mended(folder: Path) -> str:
    """The line that says so."""
    return f"records in {folder}/sentinel.db: can be written again".rpartition(":")[2]


@pytest.mark.parametrize("fault", ["attempt to write a readonly database", "disk I/O error"])
async def test_d03_a_disk_that_cannot_be_written_is_refused_at_once(
    store: SqliteRecords, disk: Disk, tmp_path: Path, fault: str
) -> None:
    await store.append(TABLE, [row(1)])
    disk.fault = fault
    await in_time(each_refused(store, range(2, 12)), HANGS_S)
    assert await ids(store) == {"row-1"}, "what was refused is not there"
    disk.fault = None
    await store.append(TABLE, [row(2)])
    assert await ids(store) == {"row-1", "row-2"}
    assert integrity(tmp_path / "sentinel.db") == "ok"


async def test_d03_a_frozen_disk_holds_nobody_longer_than_the_time_limit(quick: SqliteRecords, disk: Disk) -> None:
    disk.freeze()
    first = asyncio.create_task(in_time(refused(quick, row(1)), HANGS_S))
    await asyncio.to_thread(disk.reached.wait)
    await asyncio.gather(first, *(in_time(refused(quick, row(number)), HANGS_S) for number in range(2, 50)))
    await in_time(each_refused(quick, range(50, 150)), HANGS_S)  # once it is known to be stuck, nobody waits

    disk.thaw()
    await until(lambda: accepted(quick, row(1_000)))
    found = await ids(quick)
    assert found <= {"row-1", "row-1000"}, "only what was in the middle of its commit may be there all the same"
    await until(lambda: accepted(quick, row(1), row(2)))
    assert await ids(quick) == {"row-1", "row-2", "row-1000"}


async def accepted(store: SqliteRecords, *rows: Record) -> bool:
    """Whether an append goes through now."""
    with suppress(Refusal):
        await store.append(TABLE, rows)
        return True
    return False


async def test_d03_reads_go_on_while_nothing_can_be_written(quick: SqliteRecords, disk: Disk) -> None:
    await until(lambda: accepted(quick, row(1)))
    disk.freeze()
    writing = asyncio.create_task(refused(quick, row(2)))
    await asyncio.to_thread(disk.reached.wait)
    assert await quick.get(TABLE, "acme", "row-1") == row(1)
    assert await ids(quick) == {"row-1"}
    await writing


async def test_d02_the_lock_of_another_process_holds_nobody_longer_than_the_time_limit(
    quick: SqliteRecords, tmp_path: Path
) -> None:
    await until(lambda: accepted(quick, row(0)))
    with closing(sqlite3.connect(tmp_path / "sentinel.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await in_time(refused(quick, row(1)), HANGS_S)
        other.execute("ROLLBACK")
    await until(lambda: accepted(quick, row(2)))
    assert await ids(quick) == {"row-0", "row-2"}


async def test_a_query_that_takes_too_long_is_broken_off_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    async with sqlite(tmp_path, query_timeout_s=1.0, readers=1) as store:
        await store.append(TABLE, [row(1)])
        monkeypatch.setattr(reads, "page", lambda connection, *_: connection.execute(endless).fetchone())
        advice = "Narrow it by `since` and `until` where it takes them, or raise that"
        with pytest.raises(Refusal, match=rf"ledger_unavailable: .*`query_timeout_s` \(1 s\)\. {advice}"):
            await store.query(TABLE, tenant=None)
        assert "a query of audit took longer than query_timeout_s (1 s)" in caplog.text
        assert await store.get(TABLE, None, "row-1") == row(1), "its thread and its connection are free again"


async def test_d04_a_file_that_is_taken_away_is_not_made_anew(store: SqliteRecords, tmp_path: Path) -> None:
    file, aside = tmp_path / "sentinel.db", tmp_path / "aside.db"
    await store.append(TABLE, [row(1)])
    file.rename(aside)
    await refused(store, row(2))
    file.touch()
    await refused(store, row(2))
    aside.replace(file)
    await store.append(TABLE, [row(2)])
    assert await ids(store) == {"row-1", "row-2"}


async def test_d04_a_row_that_is_none_any_more_is_a_refusal(
    store: SqliteRecords, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await store.append(TABLE, [row(1), row(2)])
    with closing(sqlite3.connect(tmp_path / "sentinel.db")) as other:
        other.execute("UPDATE records SET record = 'no row' WHERE id = 'row-2'")
        other.commit()
    assert await store.get(TABLE, None, "row-1") == row(1)
    with pytest.raises(Refusal, match="ledger_unavailable"):
        await store.get(TABLE, None, "row-2")
    with pytest.raises(Refusal, match="ledger_unavailable"):
        await store.query(TABLE, tenant=None)
    with pytest.raises(Refusal, match="ledger_unavailable"):
        await store.aggregate(TABLE, tenant=None, group_by=["model"])
    assert "a row is damaged" in caplog.text


async def test_what_waits_is_written_before_the_store_closes(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as store:
        writing = [asyncio.create_task(store.append(TABLE, [row(number)])) for number in range(200)]
        await asyncio.sleep(0)
    await asyncio.gather(*writing)
    async with sqlite(tmp_path) as again:
        assert len(await ids(again)) == 200
    with pytest.raises(Refusal):
        await store.append(TABLE, [row(1)])
