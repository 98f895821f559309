"""The timer of one call: four limits on one handle of the loop, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from sentinel_core.errors import UpstreamError
from sentinel_plugins.http.timer import CallTimer

TOTAL_S = 10.0


class Handle:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self._when = when
        self.callback = callback
        self.cancelled = False

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """As much of an event loop as the timer needs; `advance` is its only clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.handles: list[Handle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        self.handles.append(Handle(when, callback))
        return self.handles[-1]

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [each for each in self.handles if not each.cancelled and each.when() <= until]:
            first = min(due, key=Handle.when)
            self.handles.remove(first)
            self.now = max(self.now, first.when())
            first.callback()
        self.now = until


class Waiting:
    """A task that waits for ever, under one limit after the other."""

    def __init__(self, *limits_s: float) -> None:
        self.loop = Loop()
        self.expiries = 0
        self.timer = CallTimer(
            cast("asyncio.AbstractEventLoop", self.loop), TOTAL_S, self._expire, waiters=asyncio.get_running_loop()
        )
        self.task = asyncio.create_task(self._wait(limits_s))

    def _expire(self) -> None:
        self.expiries += 1

    async def _wait(self, limits_s: tuple[float, ...]) -> None:
        first, *later = limits_s
        with self.timer.limit(first):
            for limit in later:
                self.timer.limit(limit)
            await asyncio.Event().wait()

    async def is_over_after(self, seconds: float) -> bool:
        await asyncio.sleep(0)
        self.loop.advance(seconds)
        await asyncio.wait([self.task], timeout=0)
        await asyncio.sleep(0)
        return self.task.done()


@pytest.mark.parametrize(
    ("limits_s", "end_s"),
    [((2.0,), 2.0), ((20.0,), TOTAL_S), ((1.0, 3.0), 3.0), ((3.0, 1.0), 1.0), ((1.0, 2.0, 3.0, 4.0), 4.0)],
    ids=["its limit", "the total", "moved to later", "moved to earlier", "moved often"],
)
async def test_a_wait_ends_at_its_last_limit_or_at_the_total(limits_s: tuple[float, ...], end_s: float) -> None:
    waiting = Waiting(*limits_s)
    assert not await waiting.is_over_after(end_s - 0.01)
    assert await waiting.is_over_after(0.02)
    with pytest.raises(UpstreamError, match="upstream_timeout"):
        await waiting.task
    assert (waiting.expiries, waiting.task.cancelling()) == (1, 0)
    assert waiting.timer.total_is_over == (end_s >= TOTAL_S)


async def test_a_limit_that_moves_to_later_arms_no_second_timer() -> None:
    waiting = Waiting(1.0, 2.0, 3.0)
    await asyncio.sleep(0)
    assert len(waiting.loop.handles) == 1
    waiting.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task


async def test_between_waits_only_the_total_runs() -> None:
    loop, expired = Loop(), asyncio.Event()
    timer = CallTimer(cast("asyncio.AbstractEventLoop", loop), TOTAL_S, expired.set)
    with timer.limit(1.0):
        pass
    loop.advance(TOTAL_S - 0.01)
    assert not expired.is_set()
    loop.advance(0.02)
    assert (expired.is_set(), timer.expired) == (True, True)


async def test_a_stopped_timer_never_fires() -> None:
    waiting = Waiting(1.0)
    await asyncio.sleep(0)
    waiting.timer.stop()
    assert not await waiting.is_over_after(2 * TOTAL_S)
    waiting.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task


async def test_somebody_elses_cancellation_goes_first() -> None:
    waiting = Waiting(1.0)
    await asyncio.sleep(0)
    waiting.task.cancel()
    waiting.loop.advance(2.0)
    with pytest.raises(asyncio.CancelledError):
        await waiting.task
