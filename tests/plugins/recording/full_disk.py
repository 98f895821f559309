"""A disk that fills up in the middle of a line."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest


def fill(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """The next write has room for so many bytes, those behind it for none."""
    write: Callable[[int, bytes], int] = os.write
    sizes = iter([room])

    def full(handle: int, data: bytes) -> int:
        size = next(sizes, 0)
        if not size:
            raise OSError(28, "No space left on device")
        return write(handle, data[:size])

    monkeypatch.setattr(os, "write", full)
