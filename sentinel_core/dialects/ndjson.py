"""Newline-delimited JSON without I/O: an incremental parser of what upstreams send as `application/x-ndjson`.

One JSON value a line (https://github.com/ndjson/ndjson-spec): a line ends in LF, which a CR may precede, and a line of
nothing but white space says nothing. Whether a line is JSON is for its reader to find out.
"""

from __future__ import annotations

from sentinel_core.dialects.sse import MAX_EVENT_BYTES, SseEvent, too_large
from sentinel_core.errors import UpstreamError

_SPACE = b" \t\r"


class NdjsonParser:
    """Turns the bytes of one stream into its lines, however they are cut.

    Time is linear in the bytes fed. Memory is bounded: a line of more than `max_event_bytes` raises `UpstreamError`
    (upstream_invalid_response), after the lines before it have been handed out.
    """

    __slots__ = ("_error", "_held", "_max")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._held = bytearray()  # the start of a line whose end has not come
        self._error: UpstreamError | None = None

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The lines that this chunk completes."""
        if self._error is not None:
            raise self._error
        *lines, rest = chunk.split(b"\n")
        held = self._held
        # Held bytes are copied once, when their line's end has come: byte by byte stays linear.
        if lines and held:
            lines[0] = bytes(held) + lines[0]
            held.clear()
        held += rest
        return self._events(lines)

    def close(self) -> list[SseEvent]:
        """The bytes are over: the line that lacks only its end, if there is one."""
        if self._error is not None:
            raise self._error
        rest = bytes(self._held)
        self._held.clear()
        return self._events([rest])

    def _events(self, lines: list[bytes]) -> list[SseEvent]:
        events: list[SseEvent] = []
        for line in lines:
            if len(line) > self._max:
                return self._too_large(events)
            data = line.strip(_SPACE)
            if data:
                events.append(SseEvent(data))
        return events if len(self._held) <= self._max else self._too_large(events)

    def _too_large(self, events: list[SseEvent]) -> list[SseEvent]:
        """Hand out what came before, if anything did, and raise from then on: a cut elsewhere gives the same."""
        self._held.clear()
        self._error = too_large(self._max)
        if not events:
            raise self._error
        return events
