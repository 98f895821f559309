"""A store for whoever only reads: nothing is made, changed or sent, and who writes holds nobody up."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from sentinel_core.errors import ConfigError, Refusal
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.records.redis import RedisRecords, RedisRecordsConfig
from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from tests.plugins.conftest import Servers
from tests.plugins.records.opened import redis, redis_table, row, sqlite, sqlite_table
from tests.plugins.records.sqlite_faults import may_mount
from tests.plugins.records.test_sqlite_opening import image
from tests.redis.binaries import kinds

TABLE = "usage"
ROWS = (row(2), row(1))


def config(folder: Path) -> SqliteRecordsConfig:
    return SqliteRecordsConfig(**sqlite_table(folder, query_timeout_s=1.0))


async def rows(records: RecordStore) -> tuple[object, ...]:
    return (await records.query(TABLE, tenant=None)).records


async def read(folder: Path) -> tuple[object, ...]:
    async with SqliteRecords.reader(config(folder)) as records:
        return await rows(records)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """This folder as on a file system that nobody can write."""
    for options in (["--bind"], ["-o", "remount,bind,ro"]):
        subprocess.run(["mount", *options, str(folder), str(folder)], check=True)
    try:
        with pytest.raises(OSError, match="Read-only"):
            (folder / "new").touch()
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("lying", [nullcontext, *([read_only] if may_mount() else [])])
async def test_a_file_that_nobody_has_open_is_read_and_left_as_it_is(
    tmp_path: Path, lying: Callable[[Path], AbstractContextManager[object]]
) -> None:
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, ROWS)
    before = image(tmp_path)
    with lying(tmp_path):
        assert await read(tmp_path) == ROWS
        assert image(tmp_path) == before


async def test_what_a_gateway_that_runs_has_just_written_is_read(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, ROWS)
        assert await read(tmp_path) == ROWS
        await records.append(TABLE, [row(3)])
        assert len(await read(tmp_path)) == 3


async def test_a_gateway_that_starts_meanwhile_hides_no_row(tmp_path: Path) -> None:
    """It writes between older rows and moves its log into the file, under the feet of whoever reads."""
    present = [row(number, text="x" * 100) for number in range(3_000)]
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, present)
    before = {*image(tmp_path)}
    found: list[str] = []
    async with SqliteRecords.reader(config(tmp_path)) as reader:
        async for stored in reader.scan(TABLE):
            found.append(stored.id)
            if len(found) == 600:
                async with sqlite(tmp_path) as records:
                    later = [Record(f"z{number}", "acme", number + 0.5, {"text": "x" * 100}) for number in range(3_000)]
                    await records.append(TABLE, later)
                    await records.delete(TABLE, until=100.0)
    assert {record.id for record in present[100:]} <= {*found}
    assert len(found) == len({*found})
    assert {*image(tmp_path)} == before


async def test_what_was_read_without_locks_while_somebody_wrote_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, ROWS)
    # As on a file system that is read-only for us alone.
    monkeypatch.setattr("sentinel_plugins.records.sqlite.connect.os.access", lambda path, mode: False)
    assert await read(tmp_path) == ROWS
    with pytest.raises(Refusal, match=r"sentinel\.db was written to while it was read"):
        await read_while_somebody_writes(tmp_path)


async def read_while_somebody_writes(folder: Path) -> None:
    async with SqliteRecords.reader(config(folder)) as reader:
        assert await rows(reader) == ROWS
        async with sqlite(folder) as records:
            await records.append(TABLE, [row(3)])


async def test_another_process_that_writes_holds_up_nobody(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, ROWS)
        with closing(sqlite3.connect(tmp_path / "sentinel.db", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert await read(tmp_path) == ROWS


async def test_d04_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[records\] path: is not there"):
        await read(tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("content", [b"", b"no database" * 100])
async def test_d04_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sentinel.db").write_bytes(content)
    with pytest.raises(ConfigError):
        await read(tmp_path)
    assert image(tmp_path) == {"sentinel.db": content}


@pytest.mark.parametrize("opened", [True, False])
async def test_nothing_can_be_written(tmp_path: Path, opened: bool) -> None:
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, ROWS)
        if opened:
            async with SqliteRecords.reader(config(tmp_path)) as reader:
                with pytest.raises(Refusal):
                    await reader.append(TABLE, [row(3)])
    async with SqliteRecords.reader(config(tmp_path)) as reader:
        with pytest.raises(Refusal):
            await reader.append(TABLE, [row(3)])
    assert await read(tmp_path) == ROWS


@pytest.mark.parametrize("kind", kinds())
async def test_a_server_is_read_without_a_spool(kind: str, record_servers: Servers, tmp_path: Path) -> None:
    server = record_servers(kind)
    server.ask("FLUSHALL")
    folder = tmp_path / "gateway"
    folder.mkdir()
    async with redis(server, folder) as records:
        await records.append(TABLE, ROWS)
    async with RedisRecords.reader(RedisRecordsConfig(**redis_table(server, tmp_path))) as reader:
        assert await rows(reader) == ROWS
    assert [*tmp_path.iterdir()] == [folder]
