"""Rows are written behind requests: when they are there."""

from __future__ import annotations

import asyncio

from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue
from sentinel_core.records import Record, RecordStore
from sentinel_core.testing.fake_clock import settle
from sentinel_plugins.audit import Audit
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.own_rows import caught_up
from sentinel_plugins.usage import Usage
from tests.pace import PATIENCE_S, POLL_S, until


async def rows(records: RecordStore, table: str, least: int, **where: JsonValue) -> list[Record]:
    """The rows that match, oldest first, once there are so many or more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = await records.query(table, tenant=None, where=where, limit=1000)
            if len(page.records) >= least:
                return list(reversed(page.records))
            await asyncio.sleep(POLL_S)


async def emptied(journal: Journal) -> None:
    """Wait until everything that a journal took is written."""
    await until(lambda: not journal)


async def flushed(gateway: Gateway) -> None:
    """Wait until the rows of every request that has ended are written."""
    await settle(20)
    for kind in (Usage, Audit):
        await caught_up(gateway, kind)
