"""What Zion may not have heard of, as far as this process knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

from sentinel_core.errors import Refusal
from sentinel_core.records import Record, RecordStore, Stored
from sentinel_core.services import Clock
from sentinel_plugins.auth.flights import Flights
from sentinel_plugins.auth.zion.account import Spent
from sentinel_plugins.auth.zion.row import OPEN, TABLE, Row
from sentinel_plugins.recording.journal import MOST
from sentinel_plugins.recording.pages import Pages

log = logging.getLogger("sentinel.auth")

KEPT_S = 7 * 86_400.0
SWEEP_S = 3600.0
"""How often the whole table is gone through, for what a process left there that ended."""
SWEEP_ROWS = 1000
"""How much of it in a second: rows that were told stay for a week, and nobody waits for these."""
OVERLAP_S = 5.0
"""How much later than its time a row of somebody else may arrive to be found at the next look."""
BEHIND_S = 60.0
"""How far back a look goes that follows one that failed."""
LOOK_S = 1.0
"""How long a look may take: requests wait for it."""


class Due:
    """Rows that wait or are being told, by their users: those that this process wrote, and what it found of others.

    No look asks for rows by what they say, which no store has an index for: each costs what is new, and a few pages of
    the sweep, however much the table holds. Of what has no room here the next sweep finds what waits then.
    """

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._users: dict[str, dict[str, Record]] = {}
        self._count = 0
        self._full = False
        self._looks: Flights[None] = Flights()
        self._looked = clock.time()
        self._swept = float("-inf")
        self._sweeping = asyncio.Lock()
        self._sweep: AsyncIterator[Stored] | None = None
        self._begun = float("inf")
        self._old: list[str] = []

    def users(self) -> list[str]:
        """Whose usage there is to tell."""
        return list(self._users)

    def of(self, external_id: str) -> list[Record]:
        """One user's rows, the oldest first."""
        return sorted(self._users.get(external_id, {}).values(), key=lambda record: record.at)

    def waiting(self, external_id: str) -> Spent:
        """What of one user's usage Zion may not have heard of."""
        rows = [Row.of(record) for record in self._users.get(external_id, {}).values()]
        return Spent(
            sum(row.input_tokens for row in rows),
            sum(row.output_tokens for row in rows),
            sum(row.requests for row in rows),
        )

    def put(self, record: Record) -> None:
        """A row as it is now."""
        user = record.fields["external_id"]
        rows = self._users.get(user, {})
        if record.fields["state"] not in OPEN:
            if rows.pop(record.id, None) is not None:
                self._count -= 1
                if not rows:
                    del self._users[user]
        elif record.id in rows or self._count < MOST:
            self._count += record.id not in rows
            self._users.setdefault(user, rows)[record.id] = record
        else:
            self._full = True

    def put_all(self, records: Sequence[Record]) -> None:
        """Rows as they are now."""
        for record in records:
            self.put(record)

    async def write(self, record: Record, before: Record) -> bool:
        """Change a row that nobody else changed; whether it was. One that is not there, since it waits elsewhere yet or
        had no room, is written. Raises `Refusal`."""
        if await self._records.put(TABLE, record, expect=before):
            self.put(record)
            return True
        found = await self._records.get(TABLE, record.tenant, record.id)
        if found is None and await self._records.put(TABLE, record, expect=None):
            found = record
        if found is not None:
            self.put(found)
        return found is record

    async def look(self) -> None:
        """Find what others wrote lately. Where the store does not answer, what is known goes on being so."""
        await self._looks.join(b"", self._look)

    async def _look(self) -> None:
        now = self._clock.time()
        try:
            async with asyncio.timeout(LOOK_S):
                async for page in Pages(self._records, TABLE, tenant=None, since=self._looked - OVERLAP_S):
                    self.put_all(page)
        except (Refusal, TimeoutError) as error:
            log.warning("what others are to tell Zion cannot be read: %s", type(error).__name__)
            self._looked = max(self._looked, now - BEHIND_S)
        else:
            self._looked = now

    async def close(self) -> None:
        """End a look that is under way."""
        await self._looks.close()

    async def sweep(self, rows: int) -> None:
        """Go on through so many rows of the whole table, or begin where it is time to; at its end forget what is old.

        One that fails begins anew at the next call. Rows that are no rows any more hold up nothing.
        """
        async with self._sweeping:
            now, sweep = self._clock.time(), self._sweep
            if sweep is None:
                if now - self._swept < SWEEP_S and not (self._full and self._count < MOST // 2):
                    return
                sweep = self._records.scan(TABLE)
                self._begun, self._old, self._full = now, [], False
            self._sweep = None  # whatever ends this call, half a sweep is none
            try:
                if await self._goes_on(sweep, rows):
                    self._sweep = sweep
            except Refusal as error:
                log.warning("what waits for Zion cannot be looked for: %s", error.code)

    async def _goes_on(self, sweep: AsyncIterator[Stored], rows: int) -> bool:
        """Look at some rows; whether there may be more."""
        for _ in range(rows):
            stored = await anext(sweep, None)
            if stored is None:
                # What comes meanwhile out of a spool, however old, nobody has told.
                await self._records.delete(TABLE, until=self._begun - KEPT_S, ids=self._old)
                self._swept = self._begun
                return False
            record = stored.record
            if record is not None and record.fields["state"] in OPEN:
                self.put(record)
            elif stored.at < self._begun - KEPT_S:
                self._old.append(stored.id)
        return True
