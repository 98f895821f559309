"""Limits of time that mean the same on a busy machine.

A timer of the same loop is started with the work, so that whatever makes one of them late makes the other late as well.
When it rings, work that had only to be taken up gets its turns; work that still waits for something has missed the
limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

TURNS = 2_000


async def in_time(work: Coroutine[Any, Any, T], limit_s: float) -> T:  # Any: what a coroutine exchanges with its loop
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
