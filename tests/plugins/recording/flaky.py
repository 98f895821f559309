"""A record store that refuses when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sentinel_core.errors import Refusal
from sentinel_core.records import Record
from sentinel_plugins.records.memory import MemoryRecords


class Flaky(MemoryRecords):
    """A store that refuses when told to, and counts groups."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.groups: list[int] = []

    async def append(self, table: str, records: Sequence[Record]) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise Refusal("ledger_unavailable")
        self.groups.append(len(records))
        await super().append(table, records)

    async def ids(self, table: str) -> list[str]:
        """Oldest first."""
        page = await self.query(table, tenant=None, limit=10_000)
        return [record.id for record in reversed(page.records)]

    async def delete(self, table: str, *, until: float) -> int:
        """Forget old rows, unless it is down."""
        if self.down:
            raise Refusal("ledger_unavailable")
        return await super().delete(table, until=until)
