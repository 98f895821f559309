"""Event loops: those that a gateway may run on, asyncio's own, and uvloop where the programme asks for all runners; and
one for tests that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
import os
from typing import Self, TypeVar

from sentinel_core.running import Running

T = TypeVar("T")

LOOPS = ("asyncio", "uvloop") if os.environ.get("SENTINEL_TEST_RUNNERS") == "all" else ("asyncio",)


def runner_on(loop: str) -> asyncio.Runner:
    """A runner on a new loop of that kind."""
    if loop == "asyncio":
        return asyncio.Runner()
    import uvloop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


class Loop:
    """Runs one coroutine after the other. `asyncio.Runner.run` does too, but looks up its handler of interrupts by what
    it reads as, in which all of the coroutine's result is written out: two thirds of the time of many examples."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, work: Running[T]) -> T:
        """What the work gives."""
        return self._runner.get_loop().run_until_complete(work)

    def close(self) -> None:
        """End what still runs, and the loop."""
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
