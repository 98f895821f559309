"""kill -9 at any instant: what was committed is there, once, and whole (S04)."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.pace import PATIENCE_S
from tests.plugins.records.crashing import BATCH, COUNTERS, LEDGER
from tests.plugins.records.opened import sqlite

FILES = 8
LIVES = 25
"""Of each file's process: 200 in all."""
LONGEST = 120


async def life(folder: Path, number: int, lines: int) -> list[str]:
    """What a process said before it was killed, after that many lines of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.plugins.records.crashing", str(folder), str(number)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode() for _ in range(lines)]
    process.kill()
    said += (await process.stdout.read()).decode().splitlines()
    await process.wait()
    return [line.strip() for line in said]


@long_form
@pytest.mark.parametrize("file", range(FILES))
async def test_s04_what_was_committed_outlives_kill_9_and_is_there_once(tmp_path: Path, file: int) -> None:
    said: list[str] = []
    for number in range(LIVES):
        said += await life(tmp_path, number, random.randint(1, LONGEST))
        with closing(sqlite3.connect(tmp_path / "sentinel.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        await check(tmp_path, said, lives=number + 1)


async def check(folder: Path, said: list[str], *, lives: int) -> None:
    """The file against everything that was ever said to be committed."""
    async with sqlite(folder) as store:
        groups = await store.aggregate(LEDGER, tenant="acme", group_by=["batch"])
        counter = await store.get(COUNTERS, None, "counter")
    found = {group.values[0]: group.count for group in groups}
    assert set(found.values()) <= {BATCH}, "a batch is there whole or not at all"
    assert {line.removeprefix("ledger ") for line in said if line.startswith("ledger ")} <= found.keys()
    counted = max((int(line.split()[1]) for line in said if line.startswith("counter ")), default=0)
    stored = counter.fields["value"] if counter is not None else 0
    assert counted <= stored <= counted + lives, "each may have been killed between a commit and its word"
