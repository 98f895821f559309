"""One response on uvicorn's httptools protocol: the head and the first piece of the body leave in one write.

uvicorn writes the head at once, a system call of its own, and searches every header twice with a regular expression;
together that was a tenth of a request's whole cost (benchmarks/throughput.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from sentinel_server.runners.http_date import http_date

NO_BODY = frozenset({204, 304})
_SIZES = tuple(b"%x\r\n" % size for size in range(4096))
"""What stands before chunks of the usual sizes, written once."""


class Cycle(RequestResponseCycle):
    """uvicorn's cycle with a leaner `send`. A cycle becomes one by its class: uvicorn makes them itself."""

    loop: asyncio.AbstractEventLoop
    _held = b""
    _flowing = False
    """Whether a chunked body has begun, whose head has left."""
    _until_closed = False
    """Whether the end of the connection is the body's: HTTP/1.0 knows no chunks (RFC 9112, section 6.1)."""

    async def send(self, message: Any) -> None:  # uvicorn types every message of its own
        """ASGI's send. A head waits for the body's first piece, or for the loop's next turn."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.body" and self.response_started and not self.response_complete:
            body, more = message.get("body", b""), message.get("more_body", False)
            if self._flowing and more and body:
                self.transport.write(_chunk(body))  # every event of every stream but its first and last
            else:
                self._continue(body, more=more)
        elif kind == "http.response.start" and not self.response_started:
            self._start(message)
        else:
            raise RuntimeError(f"Unexpected ASGI message {kind!r}")

    def _start(self, message: Any) -> None:  # as above
        self.response_started = True
        self.waiting_for_100_continue = False
        status: int = message["status"]
        fields = [*message.get("headers", ())]
        lines = [STATUS_LINE[status], b"date: %b\r\n" % http_date(), *[b"%b: %b\r\n" % field for field in fields]]
        said = dict(fields)
        closing = said.get(b"connection", b"").lower() == b"close"
        self.keep_alive = self.keep_alive and not closing
        if b"content-length" in said:
            self.expected_content_length, self.chunked_encoding = int(said[b"content-length"]), False
        if not self.keep_alive and not closing:
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in NO_BODY:
            self._until_closed = self.scope["http_version"] == "1.0"
            self.chunked_encoding = not self._until_closed
            if self.chunked_encoding:
                lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        head = b"".join(lines)
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines) or 0 in head:
            raise RuntimeError("Invalid HTTP header")
        self._held = head
        self.loop.call_soon(self._release)

    def _continue(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length, data = 0, b""
        elif self.chunked_encoding:
            data = _chunk(body) if body else b""
            data += b"" if more else b"0\r\n\r\n"
            self._flowing = True
        elif self._until_closed:
            data = body
        else:
            self.expected_content_length -= len(body)
            data = body
        if self.expected_content_length < 0 or (self.expected_content_length and not more):
            raise RuntimeError("Response content does not have its Content-Length")
        head, self._held = self._held, b""
        if head or data:
            self.transport.write(head + data)
        if not more:
            self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _release(self) -> None:
        """No body came in the same turn of the loop: the head leaves alone."""
        if self._held and not self.disconnected:
            self.transport.write(self._held)
        self._held = b""


def _chunk(body: bytes) -> bytes:
    """RFC 9112, section 7.1."""
    size = len(body)
    return b"".join((_SIZES[size] if size < len(_SIZES) else b"%x\r\n" % size, body, b"\r\n"))
