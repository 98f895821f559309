"""A record store that refuses when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, Self

from sentinel_core.errors import Refusal
from sentinel_core.records import Group, Page, Record, RecordStore, Stored
from sentinel_core.state import StoreConfig
from sentinel_plugins.records.memory import MemoryRecords


class Flaky:
    """Another store, or one in memory, that refuses to be changed when told to; counts groups."""

    kind: ClassVar[str] = "flaky"
    Config: ClassVar[type[StoreConfig]] = StoreConfig
    durable: ClassVar[bool] = False

    def __init__(self, inner: RecordStore | None = None) -> None:
        self._inner = inner or MemoryRecords()
        self.down = False
        self.groups: list[int] = []

    @property
    def available(self) -> bool:
        """Whether it was told to refuse."""
        return not self.down

    @classmethod
    @asynccontextmanager
    async def open(cls, config: StoreConfig) -> AsyncIterator[Self]:
        """One in memory."""
        yield cls()

    @classmethod
    def reader(cls, config: StoreConfig) -> AbstractAsyncContextManager[Self]:
        """The same."""
        return cls.open(config)

    async def append(self, table: str, records: Sequence[Record]) -> None:
        """Add rows, unless it is down."""
        await asyncio.sleep(0)
        self._check()
        self.groups.append(len(records))
        await self._inner.append(table, records)

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        """Replace a row, unless it is down."""
        self._check()
        return await self._inner.put(table, record, expect=expect)

    async def delete(self, table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        """Forget old rows, unless it is down."""
        self._check()
        return await self._inner.delete(table, until=until, ids=ids)

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - as in the Protocol
        """One row."""
        return await self._inner.get(table, tenant, id)

    async def query(self, table: str, *, tenant: str | None, **wanted: Any) -> Page:  # as in the Protocol
        """Rows."""
        return await self._inner.query(table, tenant=tenant, **wanted)

    def scan(self, table: str) -> AsyncIterator[Stored]:
        """Rows as they lie there."""
        return self._inner.scan(table)

    async def aggregate(self, table: str, *, tenant: str | None, **wanted: Any) -> tuple[Group, ...]:  # the same
        """Sums."""
        return await self._inner.aggregate(table, tenant=tenant, **wanted)

    async def ids(self, table: str) -> list[str]:
        """Oldest first."""
        page = await self.query(table, tenant=None, limit=10_000)
        return [record.id for record in reversed(page.records)]

    def _check(self) -> None:
        if self.down:
            raise Refusal("ledger_unavailable")
