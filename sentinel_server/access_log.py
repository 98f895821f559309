"""The access log: one JSON line per request on the logger `sentinel.access`.

No body, no query string, no credentials. Whatever a client put into its path, method or model name, the line stays one
valid, printable ASCII JSON object (reliability 0.14, H32, H34).
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import msgspec

from sentinel_server.line_writer import LineWriter

ACCESS_LOGGER = "sentinel.access"
MAX_FIELD_CHARS = 256

log = logging.getLogger(ACCESS_LOGGER)
_writer: LineWriter | None = None
_encode = msgspec.json.Encoder().encode


class AccessRecord(msgspec.Struct, omit_defaults=False):
    """What is known of one request when its response is over.

    `duration_ms` is milliseconds from the request's head to the end of its response; `bytes_in` and `bytes_out` count
    bodies. `end` is the termination code of `sentinel_server.termination`, `error` the error code sent, if any.
    """

    time: str
    id: str
    method: str
    path: str
    status: int
    duration_ms: float
    bytes_in: int
    bytes_out: int
    model: str | None
    provider: str | None
    attempts: int
    stream: bool
    end: str
    error: str | None

    def __str__(self) -> str:
        try:
            line = _encode(self).decode()
        except UnicodeEncodeError:
            return json_line(msgspec.structs.asdict(self))
        return line if line.isascii() and line.isprintable() else json_line(msgspec.structs.asdict(self))


def direct_to(writer: LineWriter | None) -> None:
    """Write access records straight to these lines, past `logging`: a `LogRecord`, a lock and a flush for every request
    cost more than the edge (benchmarks/throughput.py, `logged`). None gives them back to the logger."""
    global _writer
    _writer = writer


def enabled() -> bool:
    """Whether anybody keeps access records."""
    return log.isEnabledFor(logging.INFO)


def write(record: AccessRecord) -> None:
    """Hand one record to the log. Skips `Logger.info`, which walks the stack for a caller nobody wants to know."""
    if _writer is not None:
        _writer.write(str(record))
    else:
        log.handle(logging.LogRecord(ACCESS_LOGGER, logging.INFO, "", 0, record, None, None))


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-21T04:05:06.789Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def json_line(fields: dict[str, object]) -> str:
    """JSON that no terminal and no line reader can misread: everything beyond printable ASCII is escaped."""
    try:
        line = msgspec.json.encode(fields).decode()
    except UnicodeEncodeError:  # a lone surrogate, which the standard library escapes
        line = json.dumps(fields)
    return line if line.isascii() and line.isprintable() else "".join(map(_escaped, line))


def field(text: str) -> str:
    """A client's text, cut to what belongs into a log."""
    return text if len(text) <= MAX_FIELD_CHARS else text[:MAX_FIELD_CHARS] + "..."


def _escaped(char: str) -> str:
    if " " <= char <= "~":
        return char
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
