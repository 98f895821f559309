"""`Retention`: deletes records that are old enough, and says so in the checkpoints first."""

from __future__ import annotations

import logging

from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.audit.checkpoints import Checkpoints
from sentinel_plugins.audit.entry import CLAIMS, TABLE
from sentinel_plugins.audit.seal import UNSEALED, Head, Keys, intact
from sentinel_plugins.recording.chore import between_looks_s, repeated
from sentinel_plugins.recording.pages import Pages

log = logging.getLogger("sentinel.audit")


class Retention:
    """The job of one gateway. What cannot be noted is not deleted: it would look like a theft. Nor is anything while a
    record is not as it was written: whoever can write the store must not get a signature under what they took.
    """

    def __init__(self, records: RecordStore, clock: Clock, retention_s: float, checkpoints: Checkpoints | None) -> None:
        self._records = records
        self._clock = clock
        self._retention_s = retention_s
        self._checkpoints = checkpoints

    async def run(self) -> None:
        """Now, and as long as the gateway is open."""
        every_s = between_looks_s(self._retention_s)
        await repeated(self.forget, every_s, self._clock, log, "old audit records stay for now")

    async def forget(self) -> int:
        """Delete what is too old; how many records that were."""
        now = self._clock.time()
        until = now - self._retention_s
        if self._checkpoints is not None:
            cuts = await self._last_of_each(until, self._checkpoints.keys)
            if cuts is None or (cuts and not await self._checkpoints.note("cut", now, cuts)):
                return 0
        count = await self._records.delete(TABLE, until=until)
        await self._records.delete(CLAIMS, until=until)  # after the intents: a claim without one claims nothing
        return count

    async def _last_of_each(self, until: float, keys: Keys) -> dict[str, Head] | None:
        """The newest sealed record of each writer that will go; None if one is not what it was, or not so old."""
        found: dict[str, Head] = {}
        async for page in Pages(self._records, TABLE, tenant=None, until=until):
            for record in page:
                fields = record.fields
                if fields.get("mac") == UNSEALED:  # from before there was a key: nothing was noted of it either
                    continue
                if record.at >= until or not intact(record, keys):
                    log.error("audit record %r is not as it was written: nothing is deleted, see `verify`", record.id)
                    return None
                found.setdefault(fields["writer"], Head(fields["seq"], fields["mac"]))
        return found
