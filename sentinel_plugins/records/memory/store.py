"""`MemoryRecords`: the record store of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.json_types import JsonMapping
from sentinel_core.records import Group, Page, Record, Stored
from sentinel_core.state import StoreConfig
from sentinel_plugins.recording import cursor as cursors
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.recording.groups import Groups
from sentinel_plugins.recording.json_text import same
from sentinel_plugins.recording.one_page import OnePage
from sentinel_plugins.recording.row import checked, replacement
from sentinel_plugins.records.memory.config import MemoryRecordsConfig
from sentinel_plugins.records.memory.table import Table

STEP = 200
"""Rows that are summed before others have their turn: some milliseconds."""


class MemoryRecords:
    """The latest rows of each table. Every operation but a sum of many rows is one step of the event loop, and none
    waits.

    Rows are kept as handed over; whoever appends one must not change it any more. An id is known as long as its row:
    a row that was dropped could be appended again.
    """

    kind: ClassVar[str] = "memory"
    Config: ClassVar[type[StoreConfig]] = MemoryRecordsConfig
    durable: ClassVar[bool] = False

    def __init__(self, config: MemoryRecordsConfig | None = None) -> None:
        self._max_rows = (config or MemoryRecordsConfig()).max_rows
        self._tables: dict[str, Table] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, config: MemoryRecordsConfig) -> AsyncIterator[Self]:
        """An empty store."""
        yield cls(config)

    @classmethod
    def reader(cls, config: MemoryRecordsConfig) -> AbstractAsyncContextManager[Self]:
        """The same: nobody else's rows can be reached."""
        return cls.open(config)

    @property
    def available(self) -> bool:
        """Always."""
        return True

    async def append(self, table: str, records: Sequence[Record]) -> None:
        """Add rows, all or none, idempotent by id; the first row of an id stays."""
        self._written(table).extend([checked(record) for record in records])

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        """Write a row in the place of `expect`, or of none; whether it was written."""
        replacement(record, expect)
        rows = self._written(table)
        present = rows.get(record.id)
        if present is None and expect is None:
            rows.extend([record])
        elif present is not None and expect is not None and same(present, expect):
            rows.replace(record)
        else:
            return False
        return True

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the domain's word
        """One row by id, None if there is none in this tenant."""
        record = self._table(table).get(id)
        return record if record is not None and tenant in (None, record.tenant) else None

    async def query(
        self,
        table: str,
        *,
        tenant: str | None,
        where: JsonMapping | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Rows from `since` until before `until`, newest first, at most `limit` of them.

        Following the cursors gives every row that was there at the start exactly once, whatever arrives meanwhile.
        Raises `Refusal` (invalid_parameter) for a cursor that is none.
        """
        wanted = Filter(tenant, where, since, until)
        before = None if cursor is None else cursors.decode(cursor)
        page = OnePage(limit)
        all(map(page.takes, filter(wanted.matches, self._table(table).newest_first(before))))
        return page.done()

    async def scan(self, table: str) -> AsyncIterator[Stored]:
        """Every row: each is found by what it says."""
        for record in [*self._table(table).newest_first(None)]:
            yield Stored(record.id, record.tenant, record.at, record)

    async def aggregate(
        self,
        table: str,
        *,
        tenant: str | None,
        group_by: Sequence[str] = (),
        sums: Sequence[str] = (),
        where: JsonMapping | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> tuple[Group, ...]:
        """Rows that match, counted and summed by the values of `group_by`: those that were there at the start."""
        groups, wanted = Groups(group_by, sums), Filter(tenant, where, since, until)
        rows = [*self._table(table).newest_first(None)]
        for begin in range(0, len(rows), STEP):
            if begin:
                await asyncio.sleep(0)
            groups.add(filter(wanted.matches, rows[begin : begin + STEP]))
        return groups.all()

    async def delete(self, table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        """Forget rows older than `until`, or those of these ids; how many there were."""
        rows = self._table(table)
        return rows.drop(until) if ids is None else rows.drop_these(until, ids)

    def _written(self, name: str) -> Table:
        """A table to write."""
        table = self._tables.get(name)
        if table is None:
            self._tables[name] = table = Table(self._max_rows)
        return table

    def _table(self, name: str) -> Table:
        """A table to read; one that nobody appended to is empty and not kept."""
        return self._tables.get(name) or Table(self._max_rows)
