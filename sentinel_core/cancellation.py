"""What a cancellation says: whether somebody asked for it, and whether it came before anything of a call was sent."""

from __future__ import annotations

import asyncio

from sentinel_core.errors import Refusal

_UNSENT = "nothing had been sent"


def unasked(exc: BaseException) -> bool:
    """Whether this is a cancellation that nobody asked this task for: then the code that was called made it."""
    task = asyncio.current_task()
    return isinstance(exc, asyncio.CancelledError) and task is not None and task.cancelling() == 0


def own_failure(exc: BaseException) -> bool:
    """Whether this is a failure of what was called, for its caller to handle, and no request to end: an `Exception`, or
    a cancellation that nobody asked for."""
    return isinstance(exc, Exception) or unasked(exc)


def called_off(exc: BaseException) -> BaseException:
    """What to raise where the gateway has cancelled this task to end its exchange: the task goes on, and is told so.

    A task that somebody else has cancelled as well is cancelled: then it is the exception that came.
    """
    task = asyncio.current_task()
    if task is None or not isinstance(exc, Exception | asyncio.CancelledError) or task.uncancel():
        return exc
    return Refusal("draining", retry_after_s=1)


def note_unsent(exc: asyncio.CancelledError) -> None:
    """Say of a call that was cancelled that no byte of it can have left. It is a note on the exception: one that ends a
    task must go on as it came."""
    exc.add_note(_UNSENT)


def is_unsent(exc: BaseException) -> bool:
    """Whether a call was cancelled before a byte of it can have left."""
    return _UNSENT in getattr(exc, "__notes__", ())
