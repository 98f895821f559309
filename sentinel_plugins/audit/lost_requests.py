"""`LostRequests`: gives requests their terminal records whose processes did not live to write them (S04)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sentinel_core.records import Record, RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.audit.entry import CLAIMS, EXCHANGE, TABLE, Begun, claim, lost
from sentinel_plugins.recording.chore import repeated
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.late import take_in
from sentinel_plugins.recording.lost import looked_for_every_s
from sentinel_plugins.recording.pages import Pages
from sentinel_plugins.recording.witness import Witness

log = logging.getLogger("sentinel.audit")


class LostRequests:
    """Reads what is new and remembers intents until their ends are read. One that is old enough at two looks that
    follow each other, and does not run in this process, is looked up again, claimed, and ended: any number of gateways
    may do this, and one of them does.

    New records are known by their times, and a spool brings old ones late. So all are read again once in the time after
    which a request is lost; nobody looks while records wait in this machine's spool; and other machines have the time
    between two looks to send theirs.

    A gateway that is killed between its claim and its record leaves the intent without an end for good.
    """

    def __init__(
        self,
        records: RecordStore,
        journal: Journal,
        clock: Clock,
        lost_after_s: float,
        over_after_s: float,
        witness: Witness,
    ) -> None:
        self._records = records
        self._journal = journal
        self._clock = clock
        self._lost_after_s = lost_after_s
        self._over_after_s = over_after_s
        self._witness = witness
        self._every_s = looked_for_every_s(lost_after_s)
        self._read_to = 0.0
        self._all_again_at = 0.0
        self._open: dict[str, Record] = {}
        self._due: set[str] = set()
        witness.look(clock)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Look until the context ends."""
        looking = repeated(self.look, self._every_s, self._clock, log, "lost requests are looked for later")
        task = asyncio.create_task(looking, name="sentinel audit lost requests")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def look(self) -> None:
        """Read on, and end what is lost. Raises `Refusal`."""
        before, self._due = self._due, set()
        await take_in(self._records)
        now = self._clock.time()
        await self._read(now - self._every_s)
        old = self._witness.seen(self._clock, self._lost_after_s, self._over_after_s)
        running = self._witness.running
        due = {name: intent for name, intent in self._open.items() if intent.at <= old and name not in running}
        for exchange, intent in due.items():
            if exchange in before:
                await self._end(exchange, intent)
                del self._open[exchange]
        self._due = {*due} - before

    async def _read(self, until: float) -> None:
        """What came since the last time, or all, as where the clock was set back. An intent and its end are forgotten
        where they meet, whichever comes first: what is held is what is open."""
        since = self._read_to if self._read_to <= until < self._all_again_at else None
        begun: dict[str, Record] = {}
        ended: set[str] = set()
        async for page in Pages(self._records, TABLE, tenant=None, since=since, until=until):
            for record in page:
                exchange = record.fields.get(EXCHANGE)
                if not isinstance(exchange, str):
                    continue
                if record.fields.get("kind") != "intent":
                    self._open.pop(exchange, None)
                    if begun.pop(exchange, None) is None:
                        ended.add(exchange)
                elif exchange in ended:
                    ended.remove(exchange)
                else:
                    begun[exchange] = record
        self._read_to = until
        if since is None:
            self._all_again_at = until + self._lost_after_s
        self._open |= begun

    async def _end(self, exchange: str, intent: Record) -> None:
        """Unless it has ended after all: records may come late, out of a spool, and be dated before it."""
        where, since = {EXCHANGE: exchange, "kind": "terminal"}, intent.at - self._lost_after_s
        if (await self._records.query(TABLE, tenant=intent.tenant, where=where, since=since, limit=1)).records:
            return
        if await self._records.put(CLAIMS, claim(Begun(exchange, intent.at), intent.tenant), expect=None):
            log.warning("request %s was lost with its process", intent.fields.get("request_id"))
            self._journal.add(lost(intent, self._clock.time(), self._journal.dropped))
