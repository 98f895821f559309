"""Generations that another one has replaced, until they are closed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from sentinel_core.chain import Tracker
from sentinel_core.gateway.generation import Generation


class Retired:
    """Each is closed once its last exchange has ended, by a task that a drain waits for."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._open: dict[Generation, asyncio.Lock] = {}
        self._used: set[Generation] = set()  # closed, though somebody had not ended

    def beside(self, present: Generation | None) -> tuple[Generation, ...]:
        """Every generation that is open: these, and the one in force where there is one."""
        return (*self._open, present) if present is not None else tuple(self._open)

    def users(self, present: Generation | None) -> int:
        """Exchanges that have not ended, on whichever generation, a closed one too."""
        return sum(generation.chain.users for generation in (*self.beside(present), *self._used))

    async def add(self, generation: Generation) -> None:
        """Retire a generation. Returns when it is closed, or at once where exchanges still run on it."""
        self._open[generation] = asyncio.Lock()
        if generation.chain.users:
            generation.chain.when_idle(lambda: self._tracker.start(self._close(generation)))
        else:
            await self._close(generation)

    async def close(self, present: Generation | None) -> None:
        """Close every generation, the one in force too, though exchanges may still run: no drain waits any longer."""
        if present is not None:
            self._open[present] = asyncio.Lock()
        async with AsyncExitStack() as rest:  # each is closed, whatever ends the closing of another
            for generation in self._open:
                rest.push_async_callback(self._close, generation)

    async def _close(self, generation: Generation) -> None:
        """Close it, or wait until it is closed."""
        turn = self._open.get(generation)
        if turn is None:
            return
        async with turn:
            if generation in self._open:
                try:
                    await generation.close()
                finally:
                    del self._open[generation]
                    if generation.chain.users:
                        self._used.add(generation)
                        generation.chain.when_idle(lambda: self._used.discard(generation))
