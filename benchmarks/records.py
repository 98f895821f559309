"""What it costs to keep a row: rows per second, µs of the event loop's thread, and how long a writer waits.

    python -m benchmarks.records [--quick] [--check] > records.json

One ledger row an append, from 1, 50 and 200 tasks, on memory, on SQLite with both settings of `synchronous`, and on a
Redis of its own with an append-only file; then 50 who write beside 50 who read (D02: on SQLite the slowest hundredth
of the writers waits for 50 ms at most). Interleaved.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import report
from benchmarks.harness.rounds import Metrics, Samples, interleave
from sentinel_core.records import DAY, Record, RecordStore
from sentinel_plugins.records.memory import MemoryRecords, MemoryRecordsConfig
from sentinel_plugins.records.redis import RedisRecords, RedisRecordsConfig
from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from tests.ports import HOST
from tests.redis.binaries import BINARIES, MISSING  # the tests know where servers are, and start them
from tests.redis.server import running_server

TABLE = "usage"
WRITERS = (1, 50, 200)
BESIDE_READERS = "p99_ms_50_beside_50"
WAIT_LIMIT_MS = 50.0
FIELDS = {
    "model": "gpt-4o-mini",
    "provider": "openai",
    "key": "key-1",
    "prompt_tokens": 612,
    "completion_tokens": 180,
    "cost_nanousd": 199_800,
    "provenance": "reported",
    "status": "completed",
}

_numbers = count()


def ledger_row() -> Record:
    """A row as a request leaves it, about 300 bytes."""
    number = next(_numbers)
    return Record(f"req-{number:032x}", f"tenant-{number % 50}", 1_790_000_000 + number / 1_000, FIELDS)


async def stores(stack: AsyncExitStack, folder: Path) -> Mapping[str, RecordStore]:
    """Every store, open."""
    opened: dict[str, RecordStore] = {
        "memory": await stack.enter_async_context(MemoryRecords.open(MemoryRecordsConfig()))
    }
    for synchronous in ("normal", "full"):
        config = SqliteRecordsConfig(path=str(folder / f"{synchronous}.db"), synchronous=synchronous, timeout_s=30)
        opened[f"sqlite {synchronous}"] = await stack.enter_async_context(SqliteRecords.open(config))
    binary = next((path for path in BINARIES.values() if path), None)
    if binary is not None:
        server = stack.enter_context(running_server(binary, folder, "--appendonly", "yes"))
        redis = RedisRecordsConfig(host=HOST, port=server.port, spool=str(folder / "spool"), timeout_s=30)
        opened["redis"] = await stack.enter_async_context(RedisRecords.open(redis))
    return opened


async def written(store: RecordStore, tasks: int, seconds: float) -> tuple[float, float, list[float]]:
    """Rows a second, µs of this thread per row, and the waits, for so many who append one row after the other."""
    waits: list[float] = []
    until = time.perf_counter() + seconds

    async def write() -> None:
        while (started := time.perf_counter()) < until:
            await store.append(TABLE, [ledger_row()])
            waits.append(time.perf_counter() - started)

    began, busy = time.perf_counter(), time.thread_time()
    await asyncio.gather(*(write() for _ in range(tasks)))
    return len(waits) / (time.perf_counter() - began), (time.thread_time() - busy) / len(waits) * 1e6, waits


async def read(store: RecordStore, stop: Callable[[], bool]) -> None:
    """Pages of a tenant, and now and then a sum over a minute."""
    for number in count():
        await asyncio.sleep(0)  # memory answers without ever waiting
        if stop():
            return
        page = await store.query(TABLE, tenant=f"tenant-{number % 50}", limit=50)
        if number % 20 == 0 and page.records:
            since = page.records[0].at - 60
            await store.aggregate(
                TABLE, tenant=page.records[0].tenant, group_by=[DAY], sums=["cost_nanousd"], since=since
            )


async def measure(store: RecordStore, seconds: float) -> Metrics:
    """One store."""
    found: dict[str, float] = {}
    for tasks in WRITERS:
        rate, loop_us, waits = await written(store, tasks, seconds)
        found |= {f"rows_s_{tasks}": rate, f"loop_us_{tasks}": loop_us, f"p99_ms_{tasks}": _p99(waits) * 1e3}
    over = asyncio.Event()
    readers = [asyncio.create_task(read(store, over.is_set)) for _ in range(50)]
    _, _, waits = await written(store, 50, seconds)
    over.set()
    await asyncio.gather(*readers)
    return {**found, BESIDE_READERS: _p99(waits) * 1e3}


def _p99(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=100)[-1]


async def run(rounds: int, seconds: float) -> Samples:
    """All rounds of every store there is a server for."""
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            opened = await stores(stack, Path(folder))
            return await interleave(list(opened), rounds, lambda name: measure(opened[name], seconds))


def main() -> None:
    """The command line."""
    args = report.parse(report.arguments(__doc__, rounds=5, seconds=2.0))
    out = report.Report("records", vars(args), skipped={} if any(BINARIES.values()) else {"redis": MISSING})
    out.add(asyncio.run(run(args.rounds, args.seconds)))
    for name, row in out.results.items() if args.check else ():
        if name.startswith("sqlite"):
            waited = row[BESIDE_READERS]
            out.checks.append(
                report.at_most(f"ms that a writer waits beside readers, p99, {name}", waited, WAIT_LIMIT_MS)
            )
    out.emit()


if __name__ == "__main__":
    main()
