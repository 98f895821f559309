"""The end of exchanges: their own for as long as a gateway waits for it, then the gateway's."""

from __future__ import annotations

import asyncio
import logging
import time

from sentinel_core.chain import Tracker
from sentinel_core.gateway.generation import Generation
from sentinel_core.gateway.retired import Retired

log = logging.getLogger("sentinel.gateway")

FINISHERS_S = 1.0
"""What finishers get at an exit after the drain's time is used up."""


class Drain:
    """Waits until nothing of any exchange is left, and breaks off what an exit cannot wait for."""

    def __init__(self, retired: Retired, tracker: Tracker) -> None:
        self._retired, self._tracker = retired, tracker
        self._began = 0.0

    def begin(self) -> None:
        """The time begins to run."""
        self._began = time.monotonic()

    def left_s(self, timeout_s: float) -> float:
        """How long an exit may still wait: what is left of the drain's time, or a moment for finishers."""
        return max(FINISHERS_S, timeout_s + self._began - time.monotonic())

    async def over(self, present: Generation | None, timeout_s: float | None) -> bool:
        """Wait until every exchange, and every finisher, has ended. False if time ran out."""
        try:
            async with asyncio.timeout(timeout_s):
                for generation in self._retired.beside(present):
                    await generation.chain.idle()
                await self._tracker.drained()
        except TimeoutError:
            return False
        return True

    async def break_off(self, present: Generation | None) -> None:
        """End what is still open, give its finishers a moment, and log what was broken off and what is left then."""
        broken = sum(generation.chain.break_off() for generation in self._retired.beside(present))
        if broken:
            log.warning("the drain's time is over: %d exchanges were broken off", broken)
        await self.over(present, FINISHERS_S)
        if left := self._retired.users(present):
            log.warning("closing all the same: %d exchanges have not ended", left)
