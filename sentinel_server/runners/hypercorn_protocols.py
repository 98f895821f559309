"""Hypercorn's two HTTP protocols, with what they let pass refused."""

from __future__ import annotations

from contextlib import suppress

import h2.errors
import h2.events
import h2.exceptions
import h11
from hypercorn.events import Closed
from hypercorn.protocol.events import Event, Response, StreamClosed
from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, BUFFER_LOW_WATER, BufferCompleteError, H2Protocol, StreamBuffer
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WSStream
from priority.priority import TooManyStreamsError

from sentinel_server.runners.strict_h11 import StrictConnection
from sentinel_server.runners.wire_refusal import refusal

CLOSE = (b"connection", b"close")


class Http1(H11Protocol):
    """HTTP/1.1 and WebSocket. Never switches to HTTP/2 on clear text (0.11)."""

    def make_strict(self) -> None:
        """Replace the parser; to be called before the first byte."""
        self.connection = StrictConnection(self.config.h11_max_incomplete_size)

    @property
    def is_socket(self) -> bool:
        """Whether the connection has become a WebSocket."""
        return isinstance(self.stream, WSStream)

    @property
    def unread(self) -> bool:
        """Whether the client still has to finish what it was sending."""
        return self.connection.their_state in (h11.SEND_BODY, h11.ERROR)

    @property
    def begun(self) -> bool:
        """Whether bytes that came with a request belong to the next one."""
        return isinstance(self.connection, StrictConnection) and bool(self.connection.trailing_data[0])

    async def invite(self) -> None:
        """The application reads the body: tell a client to send it that waits to be told."""
        if isinstance(self.connection, StrictConnection) and self.connection.they_wait_to_be_told:
            await self._send_h11_event(h11.InformationalResponse(status_code=100, headers=[]))

    async def stream_send(self, event: Event) -> None:
        """Write a part of a response; the head says `Connection: close` while draining (S01)."""
        if isinstance(event, Response) and event.status_code >= 200 and self.context.terminated.is_set():
            event.headers[:] = [pair for pair in event.headers if pair[0] != b"connection"] + [CLOSE]
        await super().stream_send(event)

    async def _check_protocol(self, event: h11.Request) -> None:
        """Hypercorn would answer `Upgrade: h2c` with 101 here (H07)."""

    async def _send_error_response(self, status_code: int) -> None:
        code = "headers_too_large" if status_code == 431 else "invalid_framing"
        status, headers, body = refusal(code)
        await self._send_h11_event(h11.Response(status_code=status, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


class Backlog(StreamBuffer):
    """What of a response its client has no window for yet. Its writer waits until there is little of it left.

    Hypercorn's own lets a writer go on whenever little was sent, which is so too while the window is closed (C05).
    """

    async def push(self, data: bytes) -> None:
        """Keep this, and wait for room if it is much."""
        if self._complete:
            raise BufferCompleteError
        self.buffer.extend(data)
        await self._is_empty.clear()
        while len(self.buffer) >= BUFFER_HIGH_WATER:
            await self._paused.clear()
            await self._paused.wait()

    async def pop(self, max_length: int) -> bytes:
        """Take what the window has room for."""
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


class Http2(H2Protocol):
    """HTTP/2. What is wrong with one stream ends that stream and not its neighbours (0.9, 0.10)."""

    async def stream_send(self, event: Event) -> None:
        """Write a part of a response; one that is given up before its end is reset, or its client would wait for it."""
        if isinstance(event, StreamClosed) and self._unfinished(event.stream_id) is not None:
            with suppress(h2.exceptions.ProtocolError):  # it was closed already
                self.connection.reset_stream(event.stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
            await self._flush()
        await super().stream_send(event)

    async def _create_stream(self, request: h2.events.RequestReceived) -> None:
        await super()._create_stream(request)
        number = request.stream_id
        if self._unfinished(number) is not None:  # its application is yet to run
            self.stream_buffers[number] = Backlog(self.context.event_class)

    async def _close_stream(self, stream_id: int) -> None:
        await super()._close_stream(stream_id)
        if (backlog := self._unfinished(stream_id)) is not None:
            await backlog.close()
            self.priority.unblock(stream_id)  # the sender finds a closed stream then, and takes its place away
            await self.has_data.set()

    def _unfinished(self, stream_id: int) -> StreamBuffer | None:
        """What is kept of a response that has not left to its end."""
        backlog = self.stream_buffers.get(stream_id)
        return None if backlog is None or backlog.complete else backlog

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            try:
                await super()._handle_events([event])
            except (KeyError, UnicodeDecodeError):
                await self._reset(event)
            except TooManyStreamsError:  # a thousand streams opened and reset faster than they end (H14)
                self.streams.pop(getattr(event, "stream_id", 0), None)
                await self.send(Closed())
                return

    async def _reset(self, event: h2.events.Event) -> None:
        stream_id = getattr(event, "stream_id", None)
        if stream_id is None:
            return
        self.streams.pop(stream_id, None)
        try:
            if isinstance(event, h2.events.DataReceived):  # or the connection's window would shrink
                self.connection.acknowledge_received_data(event.flow_controlled_length, stream_id)
            self.connection.reset_stream(stream_id, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        except h2.exceptions.ProtocolError:
            return  # the stream was closed already
        finally:
            await self._flush()
