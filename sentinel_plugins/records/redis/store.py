"""`RedisRecords`: the record store of a fleet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import ClassVar, Self

from msgspec import structs

from sentinel_core.counts import Counts, Outages
from sentinel_core.errors import ConfigError, ConfigProblem, Refusal
from sentinel_core.json_types import JsonMapping
from sentinel_core.records import Group, Page, Record, Stored
from sentinel_core.state import StoreConfig
from sentinel_plugins.recording import cursor as cursors
from sentinel_plugins.recording.batches import batches
from sentinel_plugins.recording.cursor import Position, position
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.recording.group_commit import too_slow
from sentinel_plugins.recording.groups import Groups
from sentinel_plugins.recording.one_page import OnePage
from sentinel_plugins.recording.row import replacement, row
from sentinel_plugins.records.redis.config import RedisRecordsConfig
from sentinel_plugins.records.redis.replay import Replay
from sentinel_plugins.records.redis.server import Server
from sentinel_plugins.records.redis.spool import Batch, line
from sentinel_plugins.records.redis.table import STEP, RedisTable

CLOSE_S = 5.0
"""How long the spool may hold up the end of the process."""


class RedisRecords:
    """Rows in one Redis, Valkey or Cluster, as durable as that is.

    Each write is one atomic step on the server. What it does not take in time is refused, except appended rows: these
    wait in the spool, are sent when it answers again, and are in no answer until then.
    """

    kind: ClassVar[str] = "redis"
    Config: ClassVar[type[StoreConfig]] = RedisRecordsConfig
    durable: ClassVar[bool] = True

    def __init__(self, config: RedisRecordsConfig) -> None:
        self._config = config
        self.counts = Counts()
        self._server = Server(config, Outages(self.counts, "records"))
        self._spooled = self.counts.count("rows_spooled", "Rows that wait, or waited, on disk for their store")
        self._sent = self.counts.count("rows_replayed", "Rows that were sent from the disk, also those of others")
        self._replay = self._made_replay() if config.spool_max_bytes else None

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RedisRecordsConfig) -> AsyncIterator[Self]:
        """The store, whether the server answers or not. `ConfigError` where the spool cannot be made."""
        if config.spool_max_bytes:
            await asyncio.to_thread(_prepare, Path(config.spool))
        store = cls(config)
        try:
            await store._open()
            yield store
        finally:
            await store.close()

    @classmethod
    def reader(cls, config: RedisRecordsConfig) -> AbstractAsyncContextManager[Self]:
        """The store, and its spool where there is one: rows that a killed gateway left there belong to the answers."""
        there = Path(config.spool).is_dir()
        return cls.open(config if there else structs.replace(config, spool_max_bytes=0))

    async def _open(self) -> None:
        await self._server.open()
        if self._replay is not None:
            self._sending = self._server.tasks.start(self._replay.run())

    async def close(self) -> None:
        """Send what waits if the server takes it, and end every connection."""
        if self._replay is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])
            await self._replay.close(CLOSE_S)
        await self._server.close()

    def _made_replay(self) -> Replay:
        config = self._config
        return Replay(Path(config.spool), config.spool_max_bytes, config.timeout_s, self._send)

    @property
    def available(self) -> bool:
        """False while the server is known not to answer; rows then wait in the spool, if there is one."""
        return self._server.available

    async def caught_up(self) -> bool:
        """Send what waits in the spool, unless another process holds it; whether nothing waits there any more."""
        return self._replay is None or await self._replay.emptied()

    async def append(self, table: str, records: Sequence[Record]) -> None:
        """Add rows, all or none, idempotent by id; returns when the server, or else the local disk, has them."""
        rows = [row(record) for record in records]
        if not rows:
            return
        try:
            await self._table(table).append(rows)
        except Refusal:
            if self._replay is None:
                raise
            await self._replay.keep(line(Batch(table, [*records])))
            self._spooled.value += len(records)

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        """Write a row in the place of `expect`, or of none; whether it was written."""
        return await self._table(table).put(row(replacement(record, expect)), expect)

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the domain's word
        """One row by id, None if there is none in this tenant."""
        return await self._table(table).get(tenant, id)

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
        page = OnePage(limit)
        step = STEP if where else min(STEP, max(1, limit) + 1)
        async with self._in_time(table), aclosing(self._slices(table, wanted, before, step)) as slices:
            async for records in slices:
                if not all(map(page.takes, records)):
                    break
        return page.done()

    async def scan(self, table: str) -> AsyncIterator[Stored]:
        """Every row by where it stands in its table and at its tenant, newest first."""
        behind = None
        while True:
            found, behind = await self._table(table).scan(behind)
            for stored in found:
                yield stored
            if behind is None:
                return

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
        """Rows that match, counted and summed here: scripts count in doubles, which money must not be."""
        groups = Groups(group_by, sums)
        async with self._in_time(table):
            async for records in self._slices(table, Filter(tenant, where, since, until), None, STEP):
                groups.add(records)
        return groups.all()

    async def delete(self, table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        """Forget rows older than `until`, or those of these ids, in steps; how many there were."""
        rows, total, more = self._table(table), 0, ids is None
        while more:
            count, more = await rows.forget(until)
            total += count
        for some in batches(ids or (), STEP):
            total += await rows.forget_these(until, some)
        return total

    async def _slices(
        self, table: str, wanted: Filter, behind: Position | None, step: int
    ) -> AsyncGenerator[list[Record], None]:
        """The rows that match, newest first, a step of the server at a time."""
        rows = self._table(table)
        while True:
            records, following = await rows.slice(wanted, behind, step)
            records.sort(key=position, reverse=True)
            yield [
                record for record in records if (behind is None or position(record) < behind) and wanted.matches(record)
            ]
            if following is None or (wanted.since is not None and following[0] < wanted.since):
                return
            behind = following

    @asynccontextmanager
    async def _in_time(self, table: str) -> AsyncIterator[None]:
        timeout_s = self._config.query_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError:
            raise too_slow(table, timeout_s) from None

    async def _send(self, batch: Batch) -> None:
        await self._table(batch.table).append([row(record) for record in batch.records])
        self._sent.value += len(batch.records)

    def _table(self, name: str) -> RedisTable:
        return RedisTable(self._server, self._config.prefix, name)


def _prepare(folder: Path) -> None:
    """Make the folder of the spool, and see that files can be made there. Raises `ConfigError`."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        probe = folder / ".probe"
        probe.touch(mode=0o600)
        probe.unlink(missing_ok=True)
    except OSError as error:
        problem = ConfigProblem(
            f"cannot be written: {error.strerror}",
            table="records",
            key="spool",
            found=repr(str(folder)),
            expected="a folder that exists or can be made, or spool_max_bytes = 0",
        )
        raise ConfigError([problem]) from error
