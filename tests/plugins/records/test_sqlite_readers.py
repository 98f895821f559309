"""Whoever asks for much waits for themselves: others, and looks at one row, are answered meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentinel_core.records import Page
from sentinel_plugins.recording.cursor import Position
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.records.sqlite import SqliteRecords, reads
from tests.pace import in_time, until
from tests.plugins.records.opened import row, sqlite

TABLE = "usage"
NOISY = "noisy"
HANGS_S = 5.0
"""Beyond this a test calls it a hang: half of what a patient store waits."""


class Slow:
    """Queries of one tenant that end when a test says so."""

    def __init__(self) -> None:
        self.begun: list[str | None] = []
        self.ending = threading.Event()
        self._page = reads.page

    def page(
        self, connection: sqlite3.Connection, table: str, wanted: Filter, before: Position | None, limit: int
    ) -> Page:
        """As `reads.page`, later."""
        self.begun.append(wanted.tenant)
        if wanted.tenant == NOISY:
            self.ending.wait(30)
        return self._page(connection, table, wanted, before, limit)


@contextmanager
def asking(store: SqliteRecords, slow: Slow, times: int) -> Iterator[list[asyncio.Task[Page]]]:
    """So many queries of the noisy tenant at one time, until the context ends."""
    tasks = [asyncio.create_task(store.query(TABLE, tenant=NOISY)) for _ in range(times)]
    try:
        yield tasks
    finally:
        slow.ending.set()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Slow queries."""
    slow = Slow()
    monkeypatch.setattr(reads, "page", slow.page)
    return slow


async def test_a_look_at_one_row_waits_for_no_query(tmp_path: Path, slow: Slow) -> None:
    async with sqlite(tmp_path, readers=1) as store:
        await store.append(TABLE, [row(1)])
        with asking(store, slow, 4) as noisy:
            await until(lambda: bool(slow.begun))
            assert await in_time(store.get(TABLE, None, "row-1"), HANGS_S) == row(1)
        await asyncio.gather(*noisy)


async def test_one_tenant_holds_half_of_the_readers_and_each_of_its_queries_has_its_turn(
    tmp_path: Path, slow: Slow
) -> None:
    async with sqlite(tmp_path, readers=4) as store:
        await store.append(TABLE, [row(1)])
        with asking(store, slow, 6) as noisy:
            await until(lambda: len(slow.begun) == 2)
            assert (await in_time(store.query(TABLE, tenant="acme"), HANGS_S)).records == (row(1),)
            assert (await in_time(store.query(TABLE, tenant=None), HANGS_S)).records == (row(1),)
            assert slow.begun == [NOISY, NOISY, "acme", None]
        await asyncio.gather(*noisy)
        assert slow.begun.count(NOISY) == 6
