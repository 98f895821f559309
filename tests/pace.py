"""Limits of time that mean the same on a busy machine.

A timer of the same loop is started with the work, so that whatever makes one of them late makes the other late as well.
When it rings, work that had only to be taken up gets its turns; work that still waits for something has missed the
limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sentinel_core.running import Running

T = TypeVar("T")

PATIENCE_S = 20.0
"""What a test waits for another process, thread or disk before it calls the thing lost. What passes takes less."""
AT_ONCE_S = 5.0
"""The same for what this process does by itself: less than the limits of time that a server has of its own."""
POLL_S = 0.005
TURNS = 2_000


async def until(reached: Callable[[], bool | Awaitable[bool]], within_s: float = PATIENCE_S) -> None:
    """Ask again until it is so: another process, a thread or a timer can only be asked."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                answer = reached()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s") from None


async def in_time(work: Running[T], limit_s: float) -> T:
    """What the work gives. Fails if it is not over within `limit_s`."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)  # the work has begun: its own timers run before the limit does
    await asyncio.wait([task], timeout=limit_s)
    for _ in range(TURNS):
        if task.done():
            break
        await asyncio.sleep(0)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
        raise AssertionError(f"not over within {limit_s:g} s")
    return await task
