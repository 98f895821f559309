"""A record store in memory of which rows wait in a spool."""

from __future__ import annotations

from sentinel_core.records import Record
from sentinel_plugins.records.memory import MemoryRecords


class Spooled(MemoryRecords):
    """Rows that wait come when somebody asks for them, unless it is down."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.waiting: list[tuple[str, Record]] = []

    async def caught_up(self) -> bool:
        """Take in what waits; whether nothing waits any more."""
        while self.waiting and not self.down:
            table, record = self.waiting.pop(0)
            await self.append(table, [record])
        return not self.waiting
