"""Time that moves only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class FakeClock:
    """A `Clock` for tests. `advance` wakes sleepers in the order of their times."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()

    def monotonic(self) -> float:
        """Seconds on this clock."""
        return self._now

    def time(self) -> float:
        """The same seconds, as an epoch."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._number), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move the clock, and let everybody run who sleeps no longer than that."""
        until = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._now = until
        await settle()


async def settle(turns: int = 10) -> None:
    """Let tasks that are ready run; no time passes."""
    for _ in range(turns):
        await asyncio.sleep(0)
