"""Settlements that the state store could not be told: they are told when it answers again."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from sentinel_core.errors import Refusal
from sentinel_core.services import Clock, ServiceKey
from sentinel_core.state import Budget, Settlement, StateStore

log = logging.getLogger("sentinel.rate_limit")

MOST = 10_000
AT_ONCE = 16
Late: TypeAlias = Callable[[], Sequence[Budget]]
"""What to charge where the reservation was lost."""
AGAIN_S = 0.5
"""Between two tries at a store that does not answer."""


class Owed:
    """The latest `MOST` of them, oldest first. A store settles a reservation once, so telling it twice is harmless.

    `refused` says how often the store did not take one: another one may answer in its place, and know less.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Settlement]] = deque()
        self._telling = 0
        self._kept = asyncio.Event()
        self.refused = 0

    @property
    def owes(self) -> bool:
        """Whether there is something that the store is still to be told, or is being told."""
        return bool(self._waiting or self._telling)

    async def settle(self, store: StateStore, reservation: str, settlement: Settlement, late: Late = tuple) -> None:
        """Settle now, with some of what waits; keep it where the store does not answer.

        A reservation that was lost, or whose time was over, is charged to those of its budgets (`late`) that the store
        knows; others will begin with what the ledger says. What was kept is not: it may have been settled unheard.
        """
        try:
            if await store.settle(reservation, settlement) == "unknown" and settlement.nanousd:
                for number, budget in enumerate(late()):
                    await self._charge(store, f"{reservation}:late{number}", budget, settlement)
        except Refusal:
            self._keep(reservation, settlement)
            return
        if self._waiting:
            await self.tell(store)

    async def tell(self, store: StateStore) -> bool:
        """Tell some of what waits; False where the store does not answer."""
        for _ in range(AT_ONCE):
            if not self._waiting:  # others tell as well
                break
            waiting, told = self._waiting.popleft(), False
            self._telling += 1
            try:
                await store.settle(*waiting)
                told = True
            except Refusal:
                self.refused += 1
                return False
            finally:
                self._telling -= 1
                if not told:
                    self._waiting.appendleft(waiting)
                    self._kept.set()
        return True

    async def run(self, store: StateStore, clock: Clock) -> NoReturn:
        """Tell what waits when the store answers again, whoever asks for what meanwhile: callers whose places and money
        are not given back may have nothing left to ask with."""
        while True:
            while self._waiting:  # also what was kept before this began: a reload begins anew
                if not await self.tell(store):
                    await clock.sleep(AGAIN_S)
            self._kept.clear()
            await self._kept.wait()

    async def _charge(self, store: StateStore, charge: str, budget: Budget, settlement: Settlement) -> None:
        if (await store.admit(charge, [budget])).admitted:
            try:
                await store.settle(charge, settlement)
            except Refusal:
                self._keep(charge, settlement)

    def _keep(self, reservation: str, settlement: Settlement) -> None:
        if not self._waiting:
            log.warning("the state store does not answer: settlements wait for it")
        self.refused += 1
        self._waiting.append((reservation, settlement))
        self._kept.set()
        if len(self._waiting) > MOST:
            self._waiting.popleft()
            log.error("a settlement was dropped: its reservation ends by itself, and its money is not counted")


OWED: ServiceKey[Owed] = ServiceKey("owed_settlements")
"""What the state store of this process could not be told."""
