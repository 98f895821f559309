"""`LostCalls`: gives calls their rows whose processes did not live to write them (S04)."""

from __future__ import annotations

import logging

from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.recording.chore import repeated
from sentinel_plugins.recording.late import take_in
from sentinel_plugins.recording.lost import looked_for_every_s
from sentinel_plugins.recording.pages import Pages
from sentinel_plugins.recording.witness import NEVER, Witness
from sentinel_plugins.usage.row import INTENTS, TABLE, nonce_of

log = logging.getLogger("sentinel.usage")


class LostCalls:
    """The job of one gateway. Any number of them may run: a row is written once under its id, whoever writes it.

    So every intent that is old enough is written as a row, unless its request runs in this process. Of a call that
    ended nothing comes of it: its row is there, unless it waits in a spool. So none is written while rows wait in that
    of this machine; nor in the first round after that, or after the store was away, when other machines may still be
    sending theirs.
    """

    def __init__(
        self, records: RecordStore, clock: Clock, lost_after_s: float, over_after_s: float, witness: Witness
    ) -> None:
        self._records = records
        self._clock = clock
        self._lost_after_s = lost_after_s
        self._over_after_s = over_after_s
        self._witness = witness
        self._settled = False
        witness.look(clock)

    async def run(self) -> None:
        """Now, and as long as the gateway is open."""
        every_s = looked_for_every_s(self._lost_after_s)
        await repeated(self.look, every_s, self._clock, log, "lost calls are looked for later")

    async def look(self) -> None:
        """Adopt, unless the rows of calls that ended may still be on their way. Raises `Refusal`."""
        settled, self._settled = self._settled, False
        await take_in(self._records)
        if settled:
            await self.adopt()
        else:
            await self._records.query(INTENTS, tenant=None, limit=1)  # whether the store answers
        self._settled = True

    async def adopt(self) -> None:
        """Write what is old enough into the ledger, and forget that it was intended. Raises `Refusal`."""
        until = self._witness.seen(self._clock, self._lost_after_s, self._over_after_s)
        if until == NEVER:
            return
        async for page in Pages(self._records, INTENTS, tenant=None, until=until):
            lost = [intent for intent in page if nonce_of(intent) not in self._witness.running]
            await self._records.append(TABLE, lost)
            await self._records.delete(INTENTS, until=until, ids=[intent.id for intent in lost])
