"""What the kit watches while a plugin works: that it comes to an end, and that no fault of it is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sentinel_core.running import Running

T = TypeVar("T")

PATIENCE_S = 20.0
LEAVES_S = 1.0


async def ended(work: Running[T]) -> T:
    """What the work gives. Fails where it does not come to an end; what does not leave then is left behind."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=PATIENCE_S)
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait([task], timeout=LEAVES_S)
    raise AssertionError(f"not over within {PATIENCE_S:g} s: it waits for something that never comes")


class _Faults(logging.Handler):
    """Keeps what the chain logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.said.append(record.getMessage())


@contextmanager
def no_fault() -> Iterator[None]:
    """Fails where the chain logs a fault meanwhile, whether a caller is told of it or not."""
    faults, log = _Faults(), logging.getLogger("sentinel.chain")
    log.addHandler(faults)
    try:
        yield
    finally:
        log.removeHandler(faults)
    assert not faults.said, "; ".join(faults.said)
