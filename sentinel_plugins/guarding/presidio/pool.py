"""Processes that recognise, and the queue in front of them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sentinel_plugins.guarding.presidio.process import Process, RecogniserFailed, WorkerLost
from sentinel_plugins.guarding.presidio.waiting import Job, Waiting, batches
from sentinel_plugins.guarding.presidio.wire import Span, Start

log = logging.getLogger("sentinel.recogniser")

_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before a process that could not be replaced is replaced again."""


class DeadlinePassed(Exception):
    """The texts were not read in time."""


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """How many processes there are, what they load, how much may wait for them, and for how long."""

    start: Start
    workers: int
    max_waiting_chars: int
    deadline_s: float
    command: tuple[str, ...]


class Pool:
    """Ready processes. One that is lost is replaced; the texts that it was reading are not tried again, since they may
    be what ended it."""

    def __init__(self, plan: PoolPlan) -> None:
        self._plan = plan
        self._waiting = Waiting(plan.max_waiting_chars)
        self._running: set[Process] = set()

    @classmethod
    @asynccontextmanager
    async def opened(cls, plan: PoolPlan) -> AsyncIterator[Pool]:
        """The pool with every process ready. Raises `RecogniserFailed` and `WorkerLost` if one cannot start."""
        pool = cls(plan)
        keepers: list[asyncio.Task[None]] = []
        try:
            await pool._start(plan.workers)
            keepers = [asyncio.create_task(pool._keep(process)) for process in pool._running]
            yield pool
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*map(pool._end, tuple(pool._running)))

    async def ask(self, texts: Sequence[str]) -> list[list[Span]]:
        """What is in each of the texts.

        Raises `QueueFull`, `DeadlinePassed`, `WorkerLost` and `RecogniserFailed`. Whoever does not wait any more takes
        their texts along.
        """
        jobs = [Job(batch) for batch in batches(texts)]
        waiting = deque(jobs)
        self._waiting.admit(waiting)
        try:
            async with asyncio.timeout(self._plan.deadline_s):
                return [spans for job in jobs for spans in await job.done]
        except TimeoutError:
            raise DeadlinePassed(f"not read within {self._plan.deadline_s:g} s") from None
        finally:
            self._waiting.withdraw(waiting)
            for job in jobs:
                if not job.done.cancel() and not job.done.cancelled():
                    job.done.exception()  # nobody else will ask for it

    async def _keep(self, process: Process) -> None:
        """Give one process work, and another in its place when it is lost, until the pool closes."""
        while True:
            await self._work(process)
            await self._end(process)
            log.error("a process that recognises is gone (%s); starting another", process.epitaph)
            process = await self._another()

    async def _work(self, process: Process) -> None:
        """Let the process read job after job. Returns once it is lost."""
        while (job := await self._next(process)) is not None:
            try:
                async with asyncio.timeout(self._plan.deadline_s):
                    found = await process.ask(job.texts)
            except RecogniserFailed as error:
                _fail(job, error)
            except (WorkerLost, TimeoutError) as error:
                _fail(job, error if isinstance(error, WorkerLost) else WorkerLost("the process had to be ended"))
                return
            else:
                if not job.done.done():
                    job.done.set_result(found)

    async def _next(self, process: Process) -> Job | None:
        """The next job; None if the process ends meanwhile."""
        while not process.ended.done():
            job = self._waiting.take()
            if job is not None:
                return job
            arrived = asyncio.ensure_future(self._waiting.arrived.wait())
            try:
                await asyncio.wait({arrived, process.ended}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrived.cancel()
        return None

    async def _start(self, count: int = 1) -> list[Process]:
        """So many new processes; none where one of them cannot start."""
        starting = [asyncio.ensure_future(Process.started(self._plan.start, self._plan.command)) for _ in range(count)]
        try:
            started = await asyncio.gather(*starting)
        except BaseException:  # a cancellation too
            for one in starting:
                one.cancel()
            ends = await asyncio.gather(*starting, return_exceptions=True)
            await asyncio.gather(*(end.close() for end in ends if isinstance(end, Process)))
            raise
        self._running.update(started)
        return started

    async def _end(self, process: Process) -> None:
        await process.close()
        self._running.discard(process)

    async def _another(self) -> Process:
        """A process in the place of a lost one, however long that takes. Meanwhile deadlines pass."""
        failures = 0
        while True:
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            try:
                return (await self._start())[0]
            except (RecogniserFailed, WorkerLost, TimeoutError, OSError) as error:
                failures += 1
                log.error("a process that recognises cannot start: %s", error)


def _fail(job: Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
