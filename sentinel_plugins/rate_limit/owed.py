"""Settlements that the state store could not be told: they are told when it answers again."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence

from sentinel_core.errors import Refusal
from sentinel_core.state import Budget, Settlement, StateStore

log = logging.getLogger("sentinel.rate_limit")

MOST = 10_000
AT_ONCE = 16


class Owed:
    """The latest `MOST` of them, oldest first. A store settles a reservation once, so telling it twice is harmless."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Settlement]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    async def settle(
        self, store: StateStore, reservation: str, settlement: Settlement, late: Callable[[], Sequence[Budget]] = tuple
    ) -> None:
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
        for _ in range(min(AT_ONCE, len(self._waiting))):
            waiting = self._waiting.popleft()
            try:
                await store.settle(*waiting)
            except Refusal:
                self._waiting.appendleft(waiting)
                return

    async def _charge(self, store: StateStore, charge: str, budget: Budget, settlement: Settlement) -> None:
        if (await store.admit(charge, [budget])).admitted:
            try:
                await store.settle(charge, settlement)
            except Refusal:
                self._keep(charge, settlement)

    def _keep(self, reservation: str, settlement: Settlement) -> None:
        if not self._waiting:
            log.warning("the state store does not answer: settlements wait for it")
        self._waiting.append((reservation, settlement))
        if len(self._waiting) > MOST:
            self._waiting.popleft()
            log.error("a settlement was dropped: its reservation ends by itself, and its money is not counted")
