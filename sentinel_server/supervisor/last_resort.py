"""The end of a process that does not end by itself: a thread that a plugin left waiting cannot be cancelled."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

from sentinel_server.supervisor.watchdog import calls

log = logging.getLogger("sentinel.server")

KILL_AFTER_S = 20.0
"""What a process has to close once its requests are cancelled: more than stores that do not answer take in turn."""
FAILED = 1


class LastResort:
    """Ends this process, from a thread of its own: what hangs may be the loop, or come after it."""

    def __init__(self) -> None:
        self._due = float("inf")
        self._timer: threading.Timer | None = None

    def within(self, seconds: float) -> None:
        """In so many seconds, or sooner where that was said before."""
        due = time.monotonic() + seconds
        if due >= self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, threading.Timer(min(seconds, threading.TIMEOUT_MAX), _end)
        self._timer.daemon = True
        self._timer.start()


def _end() -> None:
    log.critical("the gateway does not end by itself: killed. What hung is one of these: %s", "; ".join(_places()))
    os._exit(FAILED)


def _places() -> list[str]:
    """Where each thread is that Python waits for before it ends."""
    frames = sys._current_frames()
    waited_for = [thread for thread in threading.enumerate() if not thread.daemon]
    return [f"{thread.name} in {calls(frames.get(thread.ident or 0))}" for thread in waited_for]
