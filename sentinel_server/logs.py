"""Logging of our own process: one JSON line per record on standard output. An embedding host keeps its own."""

from __future__ import annotations

import logging
import sys
import traceback

from sentinel_server import access_log
from sentinel_server.access_log import AccessRecord, json_line, timestamp
from sentinel_server.line_writer import LineWriter

OURS = "sentinel"


class JsonFormatter(logging.Formatter):
    """Writes every log record as one JSON line: access records as they are, all others as time, level, logger, process,
    message and, where there is one, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its line break."""
        if isinstance(record.msg, AccessRecord):
            return str(record.msg)
        fields: dict[str, object] = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json_line(fields)


def configure(level: str) -> None:
    """Send every record to standard output as JSON: ours from `level` on, libraries' from warnings on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    access_log.direct_to(LineWriter(sys.stdout))
