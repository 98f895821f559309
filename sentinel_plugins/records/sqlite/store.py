"""`SqliteRecords`: the record store of one machine."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from sentinel_core.counts import Counts, Outages
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping
from sentinel_core.records import Group, Page, Record, Stored
from sentinel_core.state import StoreConfig
from sentinel_plugins.recording import cursor as cursors
from sentinel_plugins.recording.batches import batches
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.recording.group_commit import GroupCommit, too_slow
from sentinel_plugins.recording.groups import Groups
from sentinel_plugins.recording.row import replacement, row
from sentinel_plugins.records.sqlite import reads
from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.connect import ALONE, looking, quiet_mode, reading, seen, writing
from sentinel_plugins.records.sqlite.file import File
from sentinel_plugins.records.sqlite.opening import examine, prepare
from sentinel_plugins.records.sqlite.readers import Readers, Shares
from sentinel_plugins.records.sqlite.wal import beside
from sentinel_plugins.records.sqlite.writes import STEP, Append, Delete, Put, Work

R = TypeVar("R")

CLOSE_S = 5.0
"""How long what is still to be written may hold up the end of the process."""
_WRITTEN = "{} was written to while it was read, and cannot be locked from here. Try again."


class SqliteRecords:
    """Rows in one file. Every worker of a machine may open it.

    What has gathered while the last commit ran is committed next, together; a call returns when its commit is as
    durable as `synchronous` says. Nothing waits longer than the configured times: it is refused instead, and tried
    anew with the next call.
    """

    kind: ClassVar[str] = "sqlite"
    Config: ClassVar[type[StoreConfig]] = SqliteRecordsConfig
    durable: ClassVar[bool] = True

    def __init__(
        self,
        config: SqliteRecordsConfig,
        connect: Callable[[SqliteRecordsConfig], sqlite3.Connection] = writing,
        connect_to_read: Callable[[SqliteRecordsConfig], sqlite3.Connection] = reading,
    ) -> None:
        self._config = config
        self.counts = Counts()
        self._outages = Outages(self.counts, "records")
        self._writer: GroupCommit[Work, int] = GroupCommit(
            f"records in {config.path}",
            File(config, connect),
            config.timeout_s,
            (sqlite3.Error, OSError),
            self._outages,
        )
        self._rows = Readers(1, partial(connect_to_read, config))
        self._readers = Readers(config.readers, partial(connect_to_read, config))
        self._shares = Shares(config.readers)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: SqliteRecordsConfig) -> AsyncIterator[Self]:
        """The store on its file, which is made if there is none. `ConfigError` if it cannot be used."""
        await asyncio.to_thread(prepare, config)
        store = cls(config)
        try:
            yield store
        finally:
            await store.close()

    @classmethod
    @asynccontextmanager
    async def reader(cls, config: SqliteRecordsConfig) -> AsyncIterator[Self]:
        """The store on a file that is there, which stays as it is. `ConfigError` if it cannot be read.

        Where it is read without locks whatever was read is refused at the end if somebody has written meanwhile.
        """
        path = Path(config.path)
        await asyncio.to_thread(examine, config)
        mode, before = quiet_mode(path), seen(path)
        look = partial(looking, mode=mode)
        store = cls(config, look, look)
        try:
            yield store
        finally:
            await store.close()
        if mode == ALONE and (seen(path) != before or beside(path).exists()):
            raise Refusal("ledger_unavailable", _WRITTEN.format(path))

    async def close(self) -> None:
        """Write what waits, then close the file."""
        await self._writer.close(CLOSE_S)
        for readers in (self._rows, self._readers):
            await asyncio.to_thread(readers.close)

    @property
    def available(self) -> bool:
        """False from a write that failed, or took too long, until the next one that is committed."""
        return not self._outages.now

    async def append(self, table: str, records: Sequence[Record]) -> None:
        """Add rows, all or none, idempotent by id; returns when they are committed."""
        if records:
            await self._writer.run(Append(table, [row(record) for record in records]))

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        """Write a row in the place of `expect`, or of none; whether it was written and committed."""
        return await self._writer.run(Put(table, row(replacement(record, expect)), expect)) > 0

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the domain's word
        """One row by id, None if there is none in this tenant."""
        found = await self._rows.run(lambda connection: reads.one(connection, table, id), self._config.timeout_s)
        return found if found is not None and tenant in (None, found.tenant) else None

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
        """Rows from `since` until before `until`, newest first, at most `limit` of them."""
        wanted = Filter(tenant, where, since, until)
        before = None if cursor is None else cursors.decode(cursor)
        return await self._read(
            table, tenant, lambda connection: reads.page(connection, table, wanted, before, max(1, limit))
        )

    async def scan(self, table: str) -> AsyncIterator[Stored]:
        """Every row by its columns, newest first; a step of them stands still at a time."""
        place: reads.Place | None = None
        while found := await self._read(table, None, partial(reads.scanned, table=table, before=place)):
            for raw in found:
                yield reads.stored(raw)
            place = (found[-1][2], found[-1][0])

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
        """Rows that match, counted and summed by the values of `group_by`, by SQLite and off the loop."""
        groups = Groups(group_by, sums)
        wanted = Filter(tenant, where, since, until)
        return await self._read(table, tenant, lambda connection: reads.counted(connection, table, wanted, groups))

    async def delete(self, table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        """Forget rows older than `until`, or those of these ids, in steps, so that appends need not wait; how many
        there were."""
        total = 0
        if ids is not None:
            for some in batches(ids, STEP):
                total += await self._writer.run(Delete(table, until, some))
            return total
        while (step := await self._writer.run(Delete(table, until))) == STEP:
            total += step
        return total + step

    async def _read(self, table: str, tenant: str | None, read: Callable[[sqlite3.Connection], R]) -> R:
        timeout_s = self._config.query_timeout_s
        late = partial(too_slow, table, timeout_s)
        return await self._readers.run(read, timeout_s, late, self._shares.of(tenant))
