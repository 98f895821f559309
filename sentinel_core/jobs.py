"""Work in the background that plugins contribute: it goes on for as long as the gateway is open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

log = logging.getLogger("sentinel.jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """One task of the gateway.

    `run` is called once the gateway is open, and its task is cancelled and awaited before providers and stages close.
    A reload ends the jobs of the old generation and starts those of the new one. A job that raises is logged and over:
    whoever wants it to go on catches what can go wrong.
    """

    name: str
    run: Callable[[], Awaitable[None]]


class Jobs:
    """The parent of all jobs: starts them, and awaits every one it has started."""

    __slots__ = ("_tasks", "_turn")

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()

    def begin(self) -> None:
        """The gateway opens: in a loop that may be another one than before, where nothing has to be waited for."""
        self._turn = asyncio.Lock()
        self._tasks = [task for task in self._tasks if not task.done()]

    async def replace(self, jobs: Iterable[Job]) -> None:
        """Cancel what still runs, wait until it has ended, and run each of these in a task of its own; one such change
        after the other."""
        async with self._turn:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            self._tasks = [asyncio.create_task(_run(job), name=f"sentinel job {job.name}") for job in jobs]


async def _run(job: Job) -> None:
    try:
        await job.run()
    except Exception:  # whatever ended a plugin's job, the gateway goes on without it
        log.exception("the job %r failed and is over", job.name)
