"""`Retention`: deletes rows of the ledger that are old enough."""

from __future__ import annotations

import logging

from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.recording.chore import repeated
from sentinel_plugins.usage.row import TABLE

log = logging.getLogger("sentinel.usage")

TIMES = 24
"""How often within the time that rows are kept it looks for old ones."""
AT_LEAST_S = 60.0


class Retention:
    """The job of one gateway."""

    def __init__(self, records: RecordStore, clock: Clock, retention_s: float) -> None:
        self._records = records
        self._clock = clock
        self._retention_s = retention_s

    async def run(self) -> None:
        """Now, and as long as the gateway is open."""
        every_s = max(AT_LEAST_S, self._retention_s / TIMES)
        await repeated(self.forget, every_s, self._clock, log, "old rows of the ledger stay for now")

    async def forget(self) -> int:
        """Delete what is too old; how many rows that were. Raises `Refusal`."""
        return await self._records.delete(TABLE, until=self._clock.time() - self._retention_s)
