"""Appending to a file all of something, or nothing."""

from __future__ import annotations

import os


def append(handle: int, data: bytes) -> None:
    """Append this to an open file and make it durable. Raises `OSError`, and then the file is as it was: half a line
    would hide those behind it, or look like one that somebody edited. The file must be the caller's alone meanwhile."""
    whole = os.fstat(handle).st_size
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fdatasync(handle)
    except OSError:
        os.ftruncate(handle, whole)
        raise
