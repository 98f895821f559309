"""Work that several may wait for together, and that none of them ends by leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from sentinel_core.running import Running

T = TypeVar("T")


class Flights(Generic[T]):
    """One piece of work per key at a time, such as a look-up. Whoever leaves ends nothing; `close` ends and awaits it
    all."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: dict[bytes, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def join(self, key: bytes, start: Callable[[], Running[T]]) -> T:
        """What comes of the work that is under way, or of one that starts now."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(start())
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    def _landed(self, key: bytes, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # seen, also where everybody who waited has left

    async def landed(self) -> None:
        """Wait until all that is under way has ended, whatever comes of it."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks.values()))

    async def close(self) -> None:
        """End what is under way."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
