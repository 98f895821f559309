"""What the exit code of a process says."""

from __future__ import annotations

import signal


def epitaph(code: int) -> str:
    """How a process ended, for a log: `exit code 1`, `signal SIGKILL`. A signal's code is its number below nought, and
    most real-time signals have no other name."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
