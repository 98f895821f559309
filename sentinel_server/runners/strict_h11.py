"""h11 with the liberties taken away that let two parsers read one request differently (RFC 9112, section 11.2)."""

from __future__ import annotations

import h11
from h11._receivebuffer import ReceiveBuffer

from sentinel_server.runners.handshake import is_refused

MAX_CHUNK_LINE_BYTES = 256
MAX_CHUNK_SIZE_DIGITS = 16
"""Hexadecimal, so what 64 bits hold. h11 takes 20, a number that other parsers wrap around (H05)."""
VERSIONS = frozenset({b"1.0", b"1.1"})


class StrictBuffer(ReceiveBuffer):
    """Lines end in CRLF, are not folded, and a block of them is bounded even if it arrives at once."""

    def __init__(self, max_block_bytes: int) -> None:
        super().__init__()
        self._max_block_bytes = max_block_bytes

    def skip_empty_line(self) -> bool:
        """Drop an empty line, if one is next; whether it was."""
        if self._data[:2] != b"\r\n":
            return False
        self._extract(2)
        return True

    def is_next_line_obviously_invalid_request_line(self) -> bool:
        """As in h11, but for the first half of an empty line."""
        return self._data != b"\r" and super().is_next_line_obviously_invalid_request_line()

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """The lines up to the first blank one. A bare LF or an obs-fold is a protocol error (H06)."""
        start = max(0, self._multiple_lines_search - 2)
        if self._data[start : start + 1] == b"\n":
            start = max(0, start - 1)  # the CR before it is part of this line's end
        end = self._data.find(b"\r\n\r\n", start)
        block = self._data[start:] if end < 0 else self._data[start : end + 2]
        if block.count(b"\n") != block.count(b"\r\n") or b"\n " in block or b"\n\t" in block:
            raise h11.RemoteProtocolError("bare LF or folded line", error_status_hint=400)
        if end > self._max_block_bytes:
            raise h11.RemoteProtocolError("too many header bytes", error_status_hint=431)
        lines = super().maybe_extract_lines()
        if lines and any(b"," in line and line[:14].lower() == b"content-length" for line in lines):
            raise h11.RemoteProtocolError("list of lengths", error_status_hint=400)  # h11 merges `5,5` (H03)
        return lines

    def maybe_extract_next_line(self) -> bytearray | None:
        """One line of the chunked coding. Extensions have no use here, long ones only an abuse (H05)."""
        line = super().maybe_extract_next_line()
        if len(line if line is not None else self._data) > MAX_CHUNK_LINE_BYTES:
            raise h11.RemoteProtocolError("chunk header too long", error_status_hint=400)
        if line is not None and len(line.partition(b";")[0].strip()) > MAX_CHUNK_SIZE_DIGITS:
            raise h11.RemoteProtocolError("chunk size too long", error_status_hint=400)
        return line


class StrictConnection(h11.Connection):
    """The server's side of one HTTP/1.1 connection, refusing ambiguous framing."""

    def __init__(self, max_head_bytes: int) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=max_head_bytes)
        # h11 has no public way to see the bytes of a head; its buffer is the one place that does.
        self._receive_buffer = self._lines = StrictBuffer(max_head_bytes)
        self._skipped = False

    @property
    def they_are_waiting_for_100_continue(self) -> bool:
        """No: Hypercorn would tell every client at once to send its body, also one whose head is refused."""
        return False

    @property
    def they_wait_to_be_told(self) -> bool:
        """Whether the client sends its body only when it is told to (RFC 9110, section 10.1.1)."""
        return super().they_are_waiting_for_100_continue

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """The next event; `RemoteProtocolError` also for what h11 itself would let pass.

        One empty line before a request is skipped: old clients send it after a body (RFC 9112, section 2.2).
        """
        if self.their_state is h11.IDLE and not self._skipped:
            self._skipped = self._lines.skip_empty_line()
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._skipped = False
            self._check(event)
        return event

    def _check(self, request: h11.Request) -> None:
        names = [name for name, _ in request.headers]
        coded = b"transfer-encoding" in names
        if coded and (b"content-length" in names or request.http_version != b"1.1"):
            self._refuse("ambiguous message length")  # H01; RFC 9112, section 6.1
        if request.http_version not in VERSIONS:
            self._refuse("not HTTP/1")  # H07: prior-knowledge HTTP/2
        if b"#" in request.target or not request.method.isupper():
            self._refuse("a fragment, or a method that Hypercorn would spell otherwise")  # H10, H11
        asks = b"upgrade" in names and request.method == b"GET"
        if asks and is_refused(request.headers, followed=bool(self.trailing_data[0])):
            self._refuse("not a WebSocket's handshake")

    def _refuse(self, reason: str) -> None:
        self._process_error(self.their_role)
        raise h11.RemoteProtocolError(reason, error_status_hint=400)
