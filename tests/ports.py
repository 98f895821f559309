"""Ports for processes that a test starts."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

HOST = "127.0.0.1"
PORTS = range(12_000, 22_000)
"""With those 10,000 above, where nodes of a Cluster listen as well, below those that the system gives to connections:
one of these is taken by nobody between a look and a start."""
_draw = random.SystemRandom()  # Hypothesis seeds the common one, and with it all test processes alike


def free_port() -> int:
    """A port that nobody listens on now."""
    while True:
        port = _draw.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
