"""The event loops that a gateway may run on: asyncio's own, and uvloop where the programme asks for all runners."""

from __future__ import annotations

import asyncio
import os

LOOPS = ("asyncio", "uvloop") if os.environ.get("SENTINEL_TEST_RUNNERS") == "all" else ("asyncio",)


def runner_on(loop: str) -> asyncio.Runner:
    """A runner on a new loop of that kind."""
    if loop == "asyncio":
        return asyncio.Runner()
    import uvloop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
