"""A worker that has not come to hear anything: `python -m tests.server.supervisor.young`."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    while True:
        signal.pause()
