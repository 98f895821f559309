"""Notices when the event loop stands still, and says where: one stage that computes holds up every stream (S05)."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from types import FrameType
from typing import Self

log = logging.getLogger("sentinel.server")

LIMIT_S = 1.0
LOOKS_PER_LIMIT = 4
FRAMES = 3


class Watchdog:
    """Watches the running loop from a thread of its own, as a context manager entered and left on the loop.

    A loop that has done nothing for `limit_s` seconds is logged once per standstill, with the innermost code that its
    thread is in. It only watches: what runs there cannot be ended from outside.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._pause_s = limit_s / LOOKS_PER_LIMIT
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sentinel-watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._next.cancel()
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        self._last = time.monotonic()
        self._next = self._loop.call_later(self._pause_s, self._beat)

    def _watch(self) -> None:
        told = 0.0
        while not self._over.wait(self._pause_s):
            last = self._last
            stood_s = time.monotonic() - last
            if stood_s >= self._limit_s and told != last:
                told = last
                log.warning("the event loop has stood still for %.1f s, in %s", stood_s, self._place())

    def _place(self) -> str:
        return calls(sys._current_frames().get(self._watched))


def calls(frame: FrameType | None) -> str:
    """The innermost code that a thread is in."""
    names: list[str] = []
    while frame is not None and len(names) < FRAMES:
        code = frame.f_code
        names.append(f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})")
        frame = frame.f_back
    return ", called by ".join(names)
