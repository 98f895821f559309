"""One accepted connection on uvicorn's httptools protocol, with the checks and clocks it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState

from sentinel_server.runners.acceptor import Connection
from sentinel_server.runners.base import Limits
from sentinel_server.runners.handshake import is_refused
from sentinel_server.runners.http_date import http_date
from sentinel_server.runners.uvicorn_cycle import Cycle
from sentinel_server.runners.wire_refusal import refusal_bytes

HEAD_END = b"\r\n\r\n"
CHUNK_LINE_BYTES = 20  # 16 hexadecimal digits and two line ends
MAX_FRAMING_BYTES = 256
READ_AHEAD_BYTES = 65_536


class UvicornConnection(HttpToolsProtocol):
    """HTTP/1.1 and WebSocket. One task per request; what it refuses is in `sentinel_server.runners.uvicorn`."""

    def __init__(
        self, config: Config, state: ServerState, limits: Limits, closed: Callable[[Connection], None]
    ) -> None:
        super().__init__(config, state, {})
        self.ws_protocol_class = self._socket_protocol  # type: ignore[assignment]  # called like a class
        self._limits = limits
        self._closed = closed
        self._apps: set[asyncio.Task[None]] = set()
        self._socket: _Socket | None = None
        self._lost = self._draining = self._in_body = self._lingering = self._followed = False
        self._head = bytearray()
        self._later = bytearray()
        self._active: RequestResponseCycle | None = None
        self._framing_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    # What the transport calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start to read; a connection that sends nothing is an idle one."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self._limits.keep_alive_s, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Parse heads and bodies apart, so that each can be bounded. What is pipelined waits for its turn."""
        while data and not self._lingering and not self.transport.is_closing():
            if self._answering:
                self._hold(data)
                return
            if self._in_body:
                self._body(data)
                return
            data = self._head_and_rest(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: running requests hear of it through `receive`."""
        super().connection_lost(exc)
        if self._active is not None and not self._active.response_complete:
            self._active.disconnected = True  # uvicorn tells only the last of the requests it has read
            self._active.message_event.set()
        self._head_over()
        self._lost = True
        self._finish()

    # What the acceptor calls

    def drain(self) -> None:
        """Close now if idle, else after the response."""
        self._draining = True
        if self._socket is not None:
            self._socket.shutdown()
        elif self._head_timer is None:
            self.shutdown()

    def cancel(self) -> None:
        """Cancel the running requests."""
        for task in self._apps:
            task.cancel()

    def abort(self) -> None:
        """Drop the connection and what runs for it."""
        self.transport.abort()
        self.cancel()

    # What the parser calls

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._framing_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are dropped."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Check the target's form (H10) and the framing (H01, H04), then start the request."""
        if not self.url.startswith(b"/") and self.url != b"*":
            raise ValueError("absolute form")  # uvicorn drops scheme and host before anybody else sees them
        if b"#" in self.url:
            raise ValueError("fragment")  # the same
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1") or (codings and (codings != [b"chunked"] or version != "1.1")):
            raise ValueError("ambiguous message length")
        if self.parser.should_upgrade() and is_refused(self.headers, followed=self._followed):
            raise ValueError("not a WebSocket's handshake")
        if version == "1.0":
            self.expect_100_continue = False  # who speaks it knows no 100 (RFC 9110, section 10.1.1)
        self._in_body = True
        self._head_over()
        super().on_headers_complete()
        if self._draining or (self.parser.should_upgrade() and not self._should_upgrade()):
            self.cycle.keep_alive = False  # after an upgrade that we ignore, llhttp parses nothing more (H07)
        if self.pipeline:
            self.flow.resume_reading()  # a paused transport does not see that the client left (0.7)

    def on_chunk_header(self) -> None:
        """The line before a chunk has ended."""
        self._framing_bytes -= CHUNK_LINE_BYTES

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request has ended; the next bytes begin another."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A response has ended: the next request that waits begins."""
        super().on_response_complete()
        if self._later and not self.pipeline:
            data = bytes(self._later)
            self._later.clear()
            self.data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser or a check refused."""
        self._refuse("invalid_framing")

    def socket_lost(self) -> None:
        """The WebSocket that this connection became is closed."""
        self._lost = True
        self._finish()

    def _socket_protocol(self, **_: Any) -> _Socket:  # Any: uvicorn passes what the owner already has
        self._socket = _Socket(self)
        return self._socket

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # Any: uvicorn types every message
        cycle.__class__ = Cycle
        cast("Cycle", cycle).loop = self.loop
        self._active = cycle
        task = self.loop.create_task(cycle.run_asgi(app))
        self._apps.add(task)
        task.add_done_callback(self._ended)

    @property
    def _answering(self) -> bool:
        """A whole request has been read, perhaps a part of the next, and its response is not complete."""
        active = self._active
        return active is not None and not active.response_complete and (not self._in_body or bool(self.pipeline))

    def _hold(self, data: bytes) -> None:
        self._later += data
        if len(self._later) > READ_AHEAD_BYTES:
            self.flow.pause_reading()

    def _head_and_rest(self, data: bytes) -> bytes:
        """Parse up to the end of a head, with a clock on one that comes in pieces; what comes after."""
        if not self._head and 0 <= (whole := data.find(HEAD_END)) <= self._limits.max_head_bytes:
            self._followed = len(data) > whole + len(HEAD_END)
            super().data_received(data[: whole + len(HEAD_END)])
            return data[whole + len(HEAD_END) :]
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_s, self.timeout_keep_alive_handler)
        seen = len(self._head)
        self._head += data
        end = self._head.find(HEAD_END, max(0, seen - len(HEAD_END) + 1))
        if end < 0:
            super().data_received(data)
            if len(self._head) > self._limits.max_head_bytes:
                self._refuse("headers_too_large")
            return b""
        length = end + len(HEAD_END) - seen
        self._head.clear()
        if end > self._limits.max_head_bytes:
            self._refuse("headers_too_large")
            return b""
        self._followed = len(data) > length
        super().data_received(data[:length])
        return data[length:]

    def _body(self, data: bytes) -> None:
        """Parse a body. What is neither its bytes nor a short chunk line is an extension or a trailer (H05)."""
        self._framing_bytes += len(data)
        super().data_received(data)
        self._framing_bytes = max(0, self._framing_bytes)
        if self._framing_bytes > MAX_FRAMING_BYTES:
            self._refuse("invalid_framing")

    def _refuse(self, code: str) -> None:
        """Answer unless a response is on its way, and let a client that is still sending read it before a reset."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(refusal_bytes(code))
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self._head_over()
        self._lingering = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(self._limits.linger_s, self.transport.close)

    def _head_over(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._apps.discard(task)
        self._finish()

    def _finish(self) -> None:
        if self._lost and not self._apps:
            self._closed(self)


class _Socket(WSProtocol):
    """A connection after its upgrade to WebSocket."""

    def __init__(self, owner: UvicornConnection) -> None:
        super().__init__(owner.config, owner.server_state, {})
        self._owner = owner

    def data_received(self, data: bytes) -> None:
        """Frames, after the head that the connection was handed over with; none before its answer (RFC 6455, section
        4.1)."""
        if not self.handshake_complete and self.transport.get_protocol() is self:
            self.transport.write(refusal_bytes("invalid_framing"))
            self.transport.close()
            return
        super().data_received(data)

    async def send(self, message: ASGISendEvent) -> None:
        """Write; an answer that refuses the handshake has a date, which uvicorn leaves out."""
        if message["type"] == "websocket.http.response.start":
            message["headers"] = [*message["headers"], (b"date", http_date())]
        await super().send(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection's place is free again."""
        super().connection_lost(exc)
        self._owner.socket_lost()
