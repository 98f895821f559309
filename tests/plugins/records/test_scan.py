"""P11: a scan shows every row as it lies in the store, whatever somebody made of it and of its place."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sentinel_core.records import Record, RecordStore, Stored
from sentinel_plugins.records.redis.keys import TableKeys
from sentinel_plugins.records.sqlite import reads
from tests.plugins.conftest import Servers
from tests.plugins.records.opened import redis, row, sqlite
from tests.redis.binaries import kinds

TABLE = "audit"
ROWS = [row(number, tenant=("acme", "other")[number % 2]) for number in range(4)]


def placed(record: Record) -> Stored:
    return Stored(record.id, record.tenant, record.at, record)


async def scanned(records: RecordStore) -> list[Stored]:
    return [found async for found in records.scan(TABLE)]


async def test_every_row_of_the_table_is_there_newest_first_however_many(records: RecordStore) -> None:
    rows = [row(number, tenant=("acme", "other")[number % 2], at=number // 3) for number in range(1100)]
    await records.append(TABLE, rows)
    await records.append("usage", [row(1)])
    found = await scanned(records)
    assert found == [placed(record) for record in sorted(rows, key=lambda record: (record.at, record.id), reverse=True)]
    assert all(stored.in_place for stored in found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("tenant = 'nobody'", Stored("row-3", "nobody", 3.0, ROWS[3])),
        ("at = 99.0", Stored("row-3", "other", 99.0, ROWS[3])),
        ("id = 'zzz'", Stored("zzz", "other", 3.0, ROWS[3])),
        ("record = '{bad'", Stored("row-3", "other", 3.0, None)),
        ("record = '[]'", Stored("row-3", "other", 3.0, None)),
        ("record = replace(hex(zeroblob(9000)), '0', '[')", Stored("row-3", "other", 3.0, None)),
        ("record = replace(record, '{', '{ ')", Stored("row-3", "other", 3.0, ROWS[3], as_written=False)),
        ("record = CAST(x'ff' AS TEXT)", Stored("row-3", "other", 3.0, None)),
        ("id = CAST(x'ff' AS TEXT)", Stored("\ufffd", "other", 3.0, ROWS[3])),
    ],
)
async def test_a_file_that_somebody_edited_is_shown_as_it_is(tmp_path: Path, change: str, expected: Stored) -> None:
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, ROWS)
        with closing(sqlite3.connect(tmp_path / "sentinel.db")) as file, file:
            file.execute(f"UPDATE records SET {change} WHERE id = 'row-3'")
        found = await scanned(records)
    assert found == [expected, *map(placed, reversed(ROWS[:3]))]
    assert [stored.in_place and stored.as_written for stored in found] == [False, True, True, True]


async def test_rows_that_all_claim_one_moment_are_shown_once_each(tmp_path: Path) -> None:
    rows = [row(number) for number in range(1100)]
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, rows)
        with closing(sqlite3.connect(tmp_path / "sentinel.db")) as file, file:
            file.execute("UPDATE records SET at = 1.0")
        found = await scanned(records)
    assert sorted(stored.id for stored in found) == sorted(record.id for record in rows)


async def test_a_step_through_large_rows_of_a_file_has_fewer_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "PAGE_BYTES", 1_000)
    rows = [row(number, text="x" * (400 if number else 2_000)) for number in range(6)]
    async with sqlite(tmp_path) as records:
        await records.append(TABLE, rows)
        steps, place = [], None
        with closing(sqlite3.connect(tmp_path / "sentinel.db")) as file:
            while found := reads.scanned(file, TABLE, place):
                steps.append(len(found))
                place = (found[-1][2], found[-1][0])
        assert await scanned(records) == [*map(placed, reversed(rows))]
    assert steps == [3, 3]


@pytest.mark.parametrize("kind", kinds())
async def test_a_server_that_somebody_edited_is_shown_as_it_is(
    kind: str, record_servers: Servers, tmp_path: Path
) -> None:
    server = record_servers(kind)
    server.ask("FLUSHALL")
    async with redis(server, tmp_path, prefix="s:") as records:
        await records.append(TABLE, ROWS)
        keys = TableKeys("s:", TABLE)
        server.ask("ZREM", keys.of("other").times, "row-3")
        server.ask("ZADD", keys.of("acme").times, 7, "row-2")
        server.ask("HSET", keys.of("other").rows, "row-1", "{bad")
        server.ask("HDEL", keys.of("acme").rows, "row-0")
        first, second, third = await scanned(records)
    assert (first.id, first.record, math.isnan(first.at)) == ("row-3", ROWS[3], True)
    assert (second.id, second.record, math.isnan(second.at)) == ("row-2", ROWS[2], True)
    assert third == Stored("row-1", "other", 1.0, None)
