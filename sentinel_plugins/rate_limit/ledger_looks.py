"""What the ledger says was spent, for budgets that the state store does not know, or knows less of (R06, R11)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TypeAlias
from weakref import WeakValueDictionary

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.latest import Latest
from sentinel_core.ledger import Ledger
from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_core.state import Admission, Budget, Claim
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.rate_limit.rows import MoneyRow, Row

log = logging.getLogger("sentinel.rate_limit")

AGAIN_S = 5.0
"""How long after a look at the ledger there is another one: rows are written behind their requests, so the first may
have missed those that were on their way."""
SELDOM_S = 320.0
"""The longest time between two looks of which the first failed: each failure doubles it, so that a ledger that takes
too long to read is not read all the time."""
REMEMBERED = 32_768

Place: TypeAlias = tuple[str, str]
"""A budget's key and its period."""


class Look(msgspec.Struct, frozen=True):
    """What the ledger said (None: it could not be read), when, whether there is another look to come, and when."""

    nanousd: int | None
    at: float
    again: bool
    wait_s: float = AGAIN_S


class LedgerLooks:
    """Looks at the ledger at the first request of a budget's period in this process or after an outage of the state
    store, a little later again, and where that store asks for it; once for all who wait.

    What the ledger says is never more than what was spent, and a store never counts less than it was told: so no look,
    late or repeated, counts money twice. Without a ledger every budget begins at nothing.
    """

    def __init__(self, ledger: Ledger | None, records: RecordStore, clock: Clock) -> None:
        self.unasked = 0 if ledger is None else None
        self._ledger = ledger
        self._records = records
        self._clock = clock
        self._looks: Latest[Place, Look] = Latest(REMEMBERED)
        self._doubted = False
        self._refused = 0
        self._locks: WeakValueDictionary[Place, asyncio.Lock] = WeakValueDictionary()

    def doubt(self) -> None:
        """The state store did not answer: another one may answer in its place, and know less (R05)."""
        self._doubted = True

    def believe(self, refused: int) -> None:
        """It answers: whoever comes next is compared with the ledger anew, if there was doubt, or if more settlements
        than before were refused."""
        if self._doubted or refused != self._refused:
            self._doubted, self._refused = False, refused
            self._looks.clear()

    def due(self, claims: Sequence[Claim]) -> bool:
        """Whether it is time to look for one of these; asks nobody."""
        if self._ledger is not None:
            for claim in claims:
                if claim.__class__ is Budget and self._is_due(claim):
                    return True
        return False

    async def noted(self, rows: Sequence[Row], claims: Sequence[Claim], now: float) -> tuple[Claim, ...]:
        """The claims with what the ledger says where a look is due; as they are where it cannot be read: a store that
        knows their budgets needs no ledger."""
        return tuple([await self._noted(row, claim, now) for row, claim in zip(rows, claims, strict=True)])

    async def told(
        self, rows: Sequence[Row], claims: Sequence[Claim], now: float, asked: float, began: float
    ) -> tuple[Claim, ...]:
        """The claims with what the ledger says, for a step that was asked for in vain: when that was, and when its
        request began, on the monotonic clock. A ledger that could not be read since then is not read again for it.

        Raises `Refusal` (ledger_unavailable).
        """
        return tuple([await self._told(row, claim, now, asked, began) for row, claim in zip(rows, claims, strict=True)])

    async def _noted(self, row: Row, claim: Claim, now: float) -> Claim:
        if not isinstance(row, MoneyRow) or not isinstance(claim, Budget) or not self._is_due(claim):
            return claim
        lock = self._lock(claim)
        if lock.locked() and (claim.key, claim.period) in self._looks:
            return self._with_look(claim)  # somebody is at it, and there was one before: nobody else waits for this one
        async with lock:
            if self._is_due(claim):
                before = self._looks.get((claim.key, claim.period))
                first = before is None or before.nanousd is None
                try:
                    await self._look(row, claim, now, again=first)
                except Refusal as error:
                    log.warning("%r is not compared with the ledger for now: %s", claim.key, error.message)
        return self._with_look(claim)

    async def _told(self, row: Row, claim: Claim, now: float, asked: float, began: float) -> Claim:
        if not isinstance(row, MoneyRow) or not isinstance(claim, Budget):
            return claim
        async with self._lock(claim):
            look = self._looks.get((claim.key, claim.period))
            if look is not None and look.nanousd is None and look.at >= began:
                raise Refusal("ledger_unavailable")
            if look is None or look.nanousd is None or not (look.at >= asked or denies(look.nanousd, claim)):
                await self._look(row, claim, now, again=True)
        return self._with_look(claim)

    def _lock(self, claim: Budget) -> asyncio.Lock:
        return self._locks.setdefault((claim.key, claim.period), asyncio.Lock())

    def _with_look(self, claim: Budget) -> Budget:
        return msgspec.structs.replace(claim, spent_nanousd=self._looks[claim.key, claim.period].nanousd)

    async def _look(self, row: MoneyRow, claim: Budget, now: float, *, again: bool) -> None:
        """Look and remember. One that the store asked for is the first after a loss: there is another to come."""
        assert self._ledger is not None, "without one no store is asked what it does not know"
        period = span(row.allowance.period, now)
        until = period.ends.timestamp() if period.ends is not None else None
        place = (claim.key, claim.period)
        began, before = self._clock.monotonic(), self._looks.get(place)
        try:
            nanousd = await self._ledger.spent(self._records, row.payer, period.begins, until)
        except Refusal:
            wait_s = 2 * before.wait_s if before is not None and before.nanousd is None else AGAIN_S
            self._looks[place] = Look(None, self._clock.monotonic(), again=True, wait_s=min(wait_s, SELDOM_S))
            raise
        self._looks[place] = Look(nanousd, began, again)

    def _is_due(self, claim: Budget) -> bool:
        look = self._looks.get((claim.key, claim.period))
        return look is None or (look.again and self._passed(look))

    def _passed(self, look: Look) -> bool:
        return self._clock.monotonic() - look.at >= look.wait_s


def denies(nanousd: int, claim: Budget) -> bool:
    """Whether so much is too much already: a later look says no less."""
    return claim.reserve_nanousd > 0 and nanousd + claim.reserve_nanousd > claim.limit_nanousd


def ask_ledger(admission: Admission) -> bool:
    """Whether a step failed only because neither the store nor the claims said what was spent."""
    states = admission.claims
    return any(state.unknown for state in states) and all(state.admitted for state in states)
