"""A process that writes until it is killed, and says what was committed: `python -m tests.plugins.records.crashing`."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from sentinel_core.records import Record
from sentinel_plugins.records.sqlite import SqliteRecords
from tests.plugins.records.opened import sqlite

LEDGER, COUNTERS = "usage", "counters"
BATCH = 3
TASKS = 8


async def ledger(store: SqliteRecords, life: int, task: int) -> None:
    """Batches of rows; the batch before is written again each time, as a replay would."""
    before: list[Record] = []
    for number in count():
        name = f"{life}-{task}-{number}"
        batch = [Record(f"{name}-{index}", "acme", float(life), {"batch": name}) for index in range(BATCH)]
        await store.append(LEDGER, [*before, *batch])
        say(f"ledger {name}")
        before = batch


async def counter(store: SqliteRecords) -> None:
    """A row that counts how often it was replaced."""
    present = await store.get(COUNTERS, None, "counter")
    while True:
        value = present.fields["value"] + 1 if present is not None else 1
        following = Record("counter", "", 0.0, {"value": value})
        assert await store.put(COUNTERS, following, expect=present)
        say(f"counter {value}")
        present = following


def say(line: str) -> None:
    """In one write: a line is there whole or not at all."""
    os.write(1, f"{line}\n".encode())


async def main(folder: Path, life: int) -> None:
    """Until killed."""
    async with sqlite(folder, synchronous="full") as store, asyncio.TaskGroup() as group:
        for task in range(TASKS):
            group.create_task(ledger(store, life, task))
        group.create_task(counter(store))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
