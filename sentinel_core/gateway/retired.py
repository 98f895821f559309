"""Generations that another one has replaced, until they are closed."""

from __future__ import annotations

from collections.abc import Iterator

from sentinel_core.chain import Tracker
from sentinel_core.gateway.generation import Generation


class Retired:
    """Each is closed once its last exchange has ended, by a task that a drain waits for."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._open: set[Generation] = set()

    def __iter__(self) -> Iterator[Generation]:
        return iter(self._open)

    async def add(self, generation: Generation) -> None:
        """Retire a generation. Returns when it is closed, or at once where exchanges still run on it."""
        self._open.add(generation)
        if generation.chain.users:
            generation.chain.when_idle(lambda: self._tracker.start(self._close(generation)))
        else:
            await self._close(generation)

    async def _close(self, generation: Generation) -> None:
        self._open.discard(generation)
        await generation.close()
