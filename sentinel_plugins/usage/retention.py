"""Rows of the ledger that are old enough are deleted."""

from __future__ import annotations

import logging
from typing import NoReturn

from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.recording.chore import between_looks_s, repeated
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.usage.row import INTENTS, TABLE

log = logging.getLogger("sentinel.usage")


async def forget_old(records: RecordStore, clock: Clock, retention_s: float, witness: Witness) -> NoReturn:
    """Delete what is older than that, as far as this process saw, now and for as long as the gateway is open."""

    async def forget() -> None:
        until = witness.old(clock, retention_s)
        await records.delete(INTENTS, until=until)  # first: without its row a call would be taken for lost
        await records.delete(TABLE, until=until)

    await repeated(forget, between_looks_s(retention_s), clock, log, "old rows of the ledger stay for now")
