"""A worker that never comes to serve and hears nothing: `python -m tests.server.supervisor.deaf`."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()
