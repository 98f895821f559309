"""Many at one time: tasks of one worker, and workers of one machine (D02)."""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from sentinel_core.records import DAY
from sentinel_plugins.records.sqlite import SqliteRecords
from tests.long_form import long_form
from tests.plugins.records.opened import row, sqlite

TABLE = "usage"
PER_TASK = 20


@long_form
async def test_d02_fifty_write_and_fifty_read_and_nobody_is_locked_out(tmp_path: Path) -> None:
    """A `database is locked` would be a refusal, and so would anybody who waits too long."""

    async def write(store: SqliteRecords, task: int) -> None:
        for number in range(PER_TASK):
            await store.append(TABLE, [row(task * PER_TASK + number, cost=1)])

    async def read(store: SqliteRecords, task: int) -> None:
        for number in range(PER_TASK):
            page = await store.query(TABLE, tenant="acme", limit=10)
            assert [r.at for r in page.records] == sorted((r.at for r in page.records), reverse=True)
            if number % 5 == task % 5:
                await store.aggregate(TABLE, tenant=None, group_by=[DAY], sums=["cost"])

    async with sqlite(tmp_path, synchronous="full") as store:
        await asyncio.gather(*(write(store, task) for task in range(50)), *(read(store, task) for task in range(50)))
        (total,) = await store.aggregate(TABLE, tenant=None, sums=["cost"])
    assert (total.count, total.sums) == (50 * PER_TASK, (50 * PER_TASK,))


@long_form
async def test_d02_the_workers_of_a_machine_share_a_file_that_the_first_one_makes(tmp_path: Path) -> None:
    """Each writes rows of its own, and some that all of them write."""
    workers = [await worker(tmp_path, name) for name in ("a", "b")]
    for process in workers:
        assert await asyncio.wait_for(process.wait(), 60) == 0
    async with sqlite(tmp_path) as store:
        groups = await store.aggregate(TABLE, tenant=None, group_by=["worker"])
        assert {group.values[0]: group.count for group in groups} == {"a": 100, "b": 100, "all": 100}
    assert [path.name for path in tmp_path.iterdir()] == ["sentinel.db"]


async def worker(folder: Path, name: str) -> asyncio.subprocess.Process:
    """This file, as a process."""
    return await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, str(folder), name)


async def work(folder: Path, name: str) -> None:
    """What each of those processes does."""
    numbers = count()
    async with sqlite(folder) as store:

        async def some() -> None:
            for number in (next(numbers) for _ in range(20)):
                await store.append(TABLE, [row(number, worker="all"), row(ord(name) * 1_000 + number, worker=name)])

        await asyncio.gather(*(some() for _ in range(5)))


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2]))
