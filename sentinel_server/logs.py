"""Logging of our own process: one JSON line per record on standard output. An embedding host keeps its own."""

from __future__ import annotations

import logging
import sys

from sentinel_server import access_log
from sentinel_server.access_log import JsonFormatter
from sentinel_server.line_writer import LineWriter

OURS = "sentinel"


def configure(level: str) -> None:
    """Send every record to standard output as JSON: ours from `level` on, libraries' from warnings on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    access_log.direct_to(LineWriter(sys.stdout))
