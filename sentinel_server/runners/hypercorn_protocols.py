"""Hypercorn's two HTTP protocols, with what they let pass refused."""

from __future__ import annotations

from contextlib import suppress

import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import h11
from hypercorn.events import Closed, RawData, Updated
from hypercorn.events import Event as Step
from hypercorn.protocol.events import Data, EndData, Event, Response, StreamClosed
from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, BUFFER_LOW_WATER, BufferCompleteError, H2Protocol, StreamBuffer
from hypercorn.protocol.h11 import H11Protocol, H11WSConnection
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from priority.priority import TooManyStreamsError

from sentinel_server.runners import handshake
from sentinel_server.runners.strict_h11 import StrictConnection
from sentinel_server.runners.wire_refusal import refusal

CLOSE = (b"connection", b"close")
GOING_AWAY = b"\x88\x02\x03\xf4"  # a WebSocket close frame with 1012, service restart


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

    def last_call(self) -> bytes:
        """What tells the client that a drain has begun. A WebSocket has no end of its own: it is told to come back."""
        return GOING_AWAY if self._handshake is h11.SWITCHED_PROTOCOL else b""

    async def handle(self, event: Step) -> None:
        """Read. A client may send no frame before its handshake is answered (RFC 6455, section 4.1)."""
        if isinstance(event, RawData) and self._handshake not in (None, h11.SWITCHED_PROTOCOL):
            if self._handshake is h11.SEND_RESPONSE:
                await self._close_stream()  # its application hears of it, and its answer goes nowhere
                await self._send_error_response(400)
                await self.send(Closed())
            return
        await super().handle(event)

    @property
    def _handshake(self) -> object:
        """How far the answer to a WebSocket's handshake is, as a state of h11's."""
        return self.connection.h11_connection.our_state if isinstance(self.connection, H11WSConnection) else None

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
    """HTTP/2. What is wrong with one stream ends that stream and not its neighbours (0.9, 0.10), but for what h2 itself
    finds wrong: after malformed header fields, or a body that is not as long as it says, h2 only takes GOAWAY.

    While draining, clients know from the settings that they may open no stream; those that were under way are refused
    as not processed, so that they may be sent again (RFC 9113, section 8.7). GOAWAY comes with the end of the last one:
    clients that get it before, such as httpx and Node's, give up the streams that run.
    """

    def last_call(self) -> bytes:
        """What tells the client that a drain has begun: no more streams, or the end where none runs."""
        for number, stream in self.streams.items():
            if isinstance(stream, WSStream):
                self.task_group.spawn(self._end_socket, number, stream)
        with suppress(h2.exceptions.ProtocolError):  # it was closed already
            if self.idle:
                self.connection.close_connection()
            else:
                self.connection.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 0})
        return self.connection.data_to_send()

    async def _end_socket(self, number: int, stream: WSStream) -> None:
        """A WebSocket has no end of its own: its application hears that it is gone, its client is told to come back."""
        accepted = stream.state is ASGIWebsocketState.CONNECTED
        await stream.handle(StreamClosed(stream_id=number))
        if accepted:
            await self.stream_send(Data(stream_id=number, data=GOING_AWAY))
            await self.stream_send(EndData(stream_id=number))
        await self.stream_send(StreamClosed(stream_id=number))

    async def stream_send(self, event: Event) -> None:
        """Write a part of a response; one that is given up before its end is reset, or its client would wait for it."""
        if not isinstance(event, StreamClosed):
            await super().stream_send(event)
            return
        if self._unfinished(event.stream_id) is not None:
            with suppress(h2.exceptions.ProtocolError):  # it was closed already
                self.connection.reset_stream(event.stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
            await self._flush()
        await self._close_stream(event.stream_id)
        await self.send(Updated(idle=self.idle))
        await self._end_drained()

    async def _send_data(self, stream_id: int) -> None:
        await super()._send_data(stream_id)
        await self._end_drained()

    async def _end_drained(self) -> None:
        """While draining: with the last response, the connection ends."""
        if self.context.terminated.is_set() and self.idle and not self.stream_buffers:
            with suppress(h2.exceptions.ProtocolError):  # it was closed already
                self.connection.close_connection()
            await self._flush()
            await self.send(Closed())

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
                if isinstance(event, h2.events.RequestReceived) and self.context.terminated.is_set():
                    await self._refuse(event.stream_id)
                elif isinstance(event, h2.events.RequestReceived) and _is_malformed(dict(event.headers)):
                    await self._reset(event)
                elif isinstance(event, h2.events.DataReceived) and self._is_early(event.stream_id):
                    await self._close_stream(event.stream_id)  # its application hears of it
                    await self._reset(event)
                    await self.send(Updated(idle=self.idle))
                    await self._end_drained()
                else:
                    await super()._handle_events([event])
            except (KeyError, UnicodeDecodeError):
                await self._reset(event)
            except TooManyStreamsError:  # a thousand streams opened and reset faster than they end (H14)
                self.streams.pop(getattr(event, "stream_id", 0), None)
                await self.send(Closed())
                return

    def _is_early(self, stream_id: int) -> bool:
        """Whether a WebSocket's client does not wait for the answer to its handshake (RFC 6455, section 4.1)."""
        stream = self.streams.get(stream_id)
        return isinstance(stream, WSStream) and stream.state is ASGIWebsocketState.HANDSHAKE

    async def _refuse(self, stream_id: int) -> None:
        with suppress(h2.exceptions.ProtocolError):  # its client has reset it
            self.connection.reset_stream(stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
        await self._flush()
        await self._end_drained()

    async def _reset(self, event: h2.events.Event) -> None:
        stream_id = getattr(event, "stream_id", None)
        if stream_id is None:
            return
        self.streams.pop(stream_id, None)
        await self._close_stream(stream_id)
        try:
            if isinstance(event, h2.events.DataReceived):  # or the connection's window would shrink
                self.connection.acknowledge_received_data(event.flow_controlled_length, stream_id)
            self.connection.reset_stream(stream_id, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        except h2.exceptions.ProtocolError:
            return  # the stream was closed already
        finally:
            await self._flush()


def _is_malformed(fields: dict[bytes, bytes]) -> bool:
    """Whether Hypercorn would spell the method otherwise, or take another CONNECT for a WebSocket's (RFC 8441)."""
    if fields[b":method"] != b"CONNECT":
        return not fields[b":method"].isupper()
    asked = (fields.get(b":protocol"), fields.get(b"sec-websocket-version"))
    return asked != (b"websocket", handshake.VERSION) or b":path" not in fields
