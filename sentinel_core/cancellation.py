"""A cancellation that somebody asked for, and one that the code which raised it made itself."""

from __future__ import annotations

import asyncio


def unasked(exc: BaseException) -> bool:
    """Whether this is a cancellation that nobody asked this task for: then the code that was called made it."""
    task = asyncio.current_task()
    return isinstance(exc, asyncio.CancelledError) and task is not None and task.cancelling() == 0


def own_failure(exc: BaseException) -> bool:
    """Whether this is a failure of what was called, for its caller to handle, and no request to end: an `Exception`, or
    a cancellation that nobody asked for."""
    return isinstance(exc, Exception) or unasked(exc)
