"""A stage's own time: measured and limited, stopped while the stage waits for somebody else."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from time import perf_counter
from typing import Any

from sentinel_core.cancellation import unasked
from sentinel_core.chain.phases import Phase
from sentinel_core.reply import EventStream


class OwnTime:
    """A stage's own seconds, added to `seconds[position]` where they are kept; cancels the task that exceeds a limit.

    `start` and `stop` bracket the stage's own code, `wait` and `resume` what it waits for in between, in whatever task.
    After `stop`, `expired` says that the limit was passed; the cancellation has then been taken back from the task.
    `refill` begins a new allowance.
    """

    __slots__ = (
        "_cancelling",
        "_handle",
        "_inside",
        "_limit",
        "_position",
        "_seconds",
        "_since",
        "_spent",
        "_task",
        "_waits",
        "expired",
    )

    def __init__(self, limit: float | None, seconds: list[float] | None = None, position: int = 0) -> None:
        self._seconds = [0.0] if seconds is None else seconds
        self._position = position
        self._limit = limit
        self._spent = 0.0
        self._since: float | None = None
        self._inside = False
        self._waits = 0
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.expired = False

    def start(self, task: asyncio.Task[object] | None = None) -> None:
        """The stage's code runs from here, in this task or in the given one."""
        if self._limit is not None:
            self._task = task or asyncio.current_task()
        self._inside = True
        if not self._waits:
            if self._limit is not None:
                self._arm(self._limit)
            self._since = perf_counter()

    def stop(self) -> None:
        """The stage has handed something on, or is done."""
        self._inside = False
        if self._since is not None:
            self._halt(self._since)
        self._task = None

    def wait(self) -> None:
        """The stage, or a task of its, begins to wait for somebody else."""
        self._waits += 1
        if self._since is not None:
            self._halt(self._since)

    def resume(self) -> None:
        """That wait is over: the stage's code runs again, unless it has handed something on or waits elsewhere too."""
        self._waits -= 1
        if self._inside and not self._waits:
            if self._limit is not None:
                self._arm(self._limit)
            self._since = perf_counter()

    def refill(self) -> None:
        """Begin a new allowance: the stage has handed something on."""
        self._spent = 0.0

    def _halt(self, since: float) -> None:
        self._since = None
        elapsed = perf_counter() - since
        self._seconds[self._position] += elapsed
        if self._limit is not None:
            self._spent += elapsed
            self._disarm(self._limit)

    def _arm(self, limit: float) -> None:
        self._cancelling = self._task.cancelling() if self._task is not None else 0
        self._handle = asyncio.get_running_loop().call_later(max(0.0, limit - self._spent), self._expire)

    def _disarm(self, limit: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self.expired and self._task is not None and self._task.cancelling() > self._cancelling:
            self._task.uncancel()
        self.expired = self.expired or self._spent > limit

    def _expire(self) -> None:
        self.expired = True
        if self._task is not None:
            self._task.cancel()


def limited(phase: Phase, seconds: float) -> Phase:
    """The phase under a time limit, as a coroutine function: `TimeoutError` once its own time exceeds it.

    A stream that comes too late is closed: nobody takes it.
    """

    async def call(*arguments: Any) -> Any:  # the phase's own arguments and result
        clock = OwnTime(seconds)
        clock.start()
        try:
            try:
                result = phase(*arguments)
                if result is not None and isawaitable(result):
                    result = await result
            finally:
                clock.stop()
        except asyncio.CancelledError as exc:
            if clock.expired and unasked(exc):
                raise TimeoutError from exc
            raise
        if clock.expired:
            if isinstance(result, EventStream):
                await result.aclose()
            raise TimeoutError
        return result

    return call
