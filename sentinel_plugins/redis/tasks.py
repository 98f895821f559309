"""The store's background work: every task has an owner that awaits its end."""

from __future__ import annotations

import asyncio
import logging

from sentinel_core.running import Running

log = logging.getLogger("sentinel.redis")


class Tasks:
    """Tasks that end by themselves, or with the store. One that fails is logged: nobody else would hear of it."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Running[None]) -> asyncio.Task[None]:
        """Begin something."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """End everything, and wait until it has ended."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work in the background failed and is over: %r", task, exc_info=error)
