"""Server-sent events without I/O: an incremental parser of what upstreams send.

The rules are those of the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream"
(https://html.spec.whatwg.org/multipage/server-sent-events.html), with one exception, see `SseParser.close`.
"""

from __future__ import annotations

from typing import NamedTuple

from sentinel_core.decoding import BOM
from sentinel_core.dialects.line_ends import CR, LF
from sentinel_core.errors import UpstreamError

MAX_EVENT_BYTES = 16 << 20

_made = tuple.__new__  # a named tuple's own constructor is Python, and this runs for every event of every stream


class SseEvent(NamedTuple):
    """One event: its data lines joined by LF, and its name ("" where the stream names none).

    `data` may be empty; `id` and `retry` are for reconnecting clients, which no gateway is, and are dropped.
    """

    data: bytes
    name: str = ""


def too_large(limit: int) -> UpstreamError:
    """What an event of more than `limit` bytes is. It would be as large if it were asked for again."""
    message = f"The model's provider sent an event of more than {limit} bytes (`max_event_bytes`)."
    return UpstreamError("upstream_invalid_response", message, should_retry=False)


class SseParser:
    """Turns the bytes of one stream into events, however they are cut.

    Time is linear in the bytes fed. Memory is bounded: a line, or an event's data, of more than `max_event_bytes`
    raises `UpstreamError` (upstream_invalid_response), after the events before it have been handed out.
    """

    __slots__ = ("_begun", "_data", "_error", "_fresh", "_held", "_max", "_name", "_size", "_skip_lf")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._held = bytearray()  # the start of a line whose end has not come
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""
        self._begun = False
        self._skip_lf = False
        self._fresh = False
        self._error: UpstreamError | None = None

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that this chunk completes."""
        # Most chunks are one whole event; this path gives what the general one below would give.
        if (
            self._fresh
            and chunk[:6] == b"data: "
            and chunk[-2:] == b"\n\n"
            and LF not in (data := chunk[6:-2])
            and CR not in data
            and len(data) <= self._max
        ):
            return [_made(SseEvent, (data, ""))]
        if self._error is not None:
            raise self._error
        return self._lines(self._whole_lines(chunk))

    def close(self) -> list[SseEvent]:
        """The bytes are over: the event that lacks only its blank line or its last line end, if there is one.

        The standard drops it. Upstreams that end with a bare `data: [DONE]` exist, and their text must not differ
        from that of others, so it is handed out; whether it is whole is for the reader of its JSON to find out.
        """
        if self._error is not None:
            raise self._error
        rest = [bytes(self._held), b""]
        self._held.clear()
        return self._lines(rest)

    def _whole_lines(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk; what follows the last line end is held."""
        chunk = self._after_edges(chunk)
        held = self._held
        # Held bytes are copied once, when their line's end has come: byte by byte stays linear.
        if held and chunk.find(b"\n") < 0 and chunk.find(b"\r") < 0:
            held += chunk
            return []
        if held:
            chunk = bytes(held) + chunk
            held.clear()
        lines = chunk.splitlines()  # of bytes: at LF, CR and CRLF only
        if chunk.endswith(b"\r"):
            self._skip_lf = True
        elif lines and not chunk.endswith(b"\n"):
            held += lines.pop()
        return lines

    def _after_edges(self, chunk: bytes) -> bytes:
        """The chunk without a BOM at the stream's start, and without the LF of a CRLF that was cut in two."""
        if not self._begun:
            chunk = bytes(self._held) + chunk
            self._held.clear()
            if len(chunk) < len(BOM) and BOM.startswith(chunk):
                self._held += chunk
                return b""
            self._begun = True
            chunk = chunk.removeprefix(BOM)
        if self._skip_lf and chunk:
            self._skip_lf = False
            chunk = chunk.removeprefix(b"\n")
        return chunk

    def _lines(self, lines: list[bytes]) -> list[SseEvent]:
        events: list[SseEvent] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(SseEvent(b"\n".join(self._data), self._name))
                self._data.clear()
                self._size, self._name = 0, ""
            elif len(line) > self._max + 6 or not self._field(line):
                return self._too_large(events)
        if len(self._held) > self._max + 6:
            return self._too_large(events)
        self._fresh = self._begun and not (self._held or self._data or self._name or self._skip_lf)
        return events

    def _field(self, line: bytes) -> bool:
        """Take one line that is not blank. False if the event's data has become too large."""
        if line[:6] == b"data: ":
            return self._add(line[6:])
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            return self._add(value)
        if name == b"event":
            self._name = value.decode("utf-8", "replace")
        return True

    def _add(self, value: bytes) -> bool:
        self._size += len(value) + 1
        self._data.append(value)
        return self._size - 1 <= self._max

    def _too_large(self, events: list[SseEvent]) -> list[SseEvent]:
        """Hand out what came before, if anything did, and raise from then on: a cut elsewhere gives the same."""
        self._held.clear()
        self._data.clear()
        self._fresh = False
        self._error = too_large(self._max)
        if not events:
            raise self._error
        return events
