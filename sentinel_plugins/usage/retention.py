"""Rows of the ledger that are old enough are deleted."""

from __future__ import annotations

import logging
from typing import NoReturn

from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.recording.chore import between_looks_s, repeated
from sentinel_plugins.usage.row import TABLE

log = logging.getLogger("sentinel.usage")


async def forget_old(records: RecordStore, clock: Clock, retention_s: float) -> NoReturn:
    """Delete what is older than that, now and for as long as the gateway is open."""

    async def forget() -> int:
        return await records.delete(TABLE, until=clock.time() - retention_s)

    await repeated(forget, between_looks_s(retention_s), clock, log, "old rows of the ledger stay for now")
