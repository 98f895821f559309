"""Waiting for what happens elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

POLL_S = 0.005


async def until(reached: Callable[[], bool], within_s: float) -> float:
    """How long it took, in seconds. Polls: another process, or a timer, can only be looked at."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not reached():
        assert loop.time() - began < within_s, f"not within {within_s:g} s"
        await asyncio.sleep(POLL_S)
    return loop.time() - began
