"""Where an exception was raised, for logs and for whoever has to mend it: never what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_CORE = f"{Path(__file__).parent}{os.sep}"
_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"
_INSTALLED = ("site-packages", "dist-packages")  # where plugins are, which may be below the standard library


def place(exc: BaseException) -> str:
    """File and line where an exception was raised. One that was raised in here, for what a plugin or a host gave, has
    its place there first."""
    frames = list(_frames(exc))
    if not frames:
        return "no traceback"
    innermost, theirs = frames[-1], place_outside(exc)
    if theirs is None or theirs == innermost:
        return innermost
    return f"{theirs}, in {innermost}" if innermost.startswith(_CORE) else theirs


def place_outside(exc: BaseException) -> str | None:
    """File and line of the last code in the way of an exception that is neither this package's nor Python's own; of a
    `SyntaxError`, its own. None without any."""
    if isinstance(exc, SyntaxError) and exc.filename:
        return f"{exc.filename}:{exc.lineno}"
    return next((frame for frame in reversed(list(_frames(exc))) if _is_outside(frame)), None)


def _frames(exc: BaseException) -> Iterator[str]:
    trace = exc.__traceback__
    while trace is not None:
        yield f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next


def _is_outside(frame: str) -> bool:
    if frame.startswith(("<", _CORE)):
        return False
    return not frame.startswith(_LIBRARY) or any(name in frame for name in _INSTALLED)
