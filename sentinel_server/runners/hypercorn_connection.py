"""One accepted connection: bytes in, Hypercorn's protocol, bytes out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from hypercorn.asyncio.worker_context import EventWrapper, WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.typing import ConnectionState, LifespanState
from hypercorn.utils import parse_socket_addr

from sentinel_server.runners.acceptor import Connection
from sentinel_server.runners.base import App, Limits, Message
from sentinel_server.runners.hypercorn_protocols import Http1, Http2

log = logging.getLogger("sentinel.server")

READ_AHEAD_BYTES = 65_536
WRITE_AT_ONCE_BYTES = 16_384
DISCONNECT: Message = {"type": "http.disconnect"}
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113, section 3.4


class HypercornConnection(asyncio.Protocol):
    """Stands where Hypercorn has its `TCPServer` and its `TaskGroup`.

    One task reads and parses, one runs per request. Timers are handles and not tasks, which Hypercorn starts and
    cancels twice per request.
    """

    def __init__(
        self,
        app: App,
        config: Config,
        context: WorkerContext,
        limits: Limits,
        closed: Callable[[Connection], None],
    ) -> None:
        self._app, self._config, self._context, self._limits = app, config, context, limits
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._eof = self._idle = self._lingering = False
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._apps: set[asyncio.Task[None]] = set()
        self._helpers: set[asyncio.Task[None]] = set()

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to read. Who has no address any more has reset the connection: nobody is there to be served."""
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("peername") is None:
            self._transport.abort()
            self._closed(self)
            return
        self._http: Http1 | Http2 = self._protocol(Http1)
        self._rest()
        self._reader = self._loop.create_task(self._read())
        self._task = self._loop.create_task(self._run())

    def data_received(self, data: bytes) -> None:
        """Hand on to the reader; the first bytes of a request start the clock for its head."""
        if self._lingering:
            return
        if self._idle and not self._incoming and isinstance(self._http, Http1):
            self._idle = False
            self._arm(self._limits.head_s)
        self._incoming += data
        if len(self._incoming) >= READ_AHEAD_BYTES:
            self._transport.pause_reading()
        self._arrived.set()

    def eof_received(self) -> bool:
        """A half-close counts as leaving (C07); what was sent before it is still read."""
        self._left()
        return not self._lingering

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more can be written."""
        self._disarm()
        self._writable.set()
        self._left()

    def pause_writing(self) -> None:
        """The client is slower than we are."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    # What the acceptor calls

    def drain(self) -> None:
        """Close now if idle, else after the response; Hypercorn's protocols look at `terminated`."""
        cast("EventWrapper", self._context.terminated)._event.set()
        self._write(self._http.last_call())
        if isinstance(self._http, Http1) and self._http.is_socket:
            self._left()
        elif self._idle and not self._incoming:
            self._close()

    def cancel(self) -> None:
        """Cancel the running requests."""
        for task in self._apps:
            task.cancel()

    def abort(self) -> None:
        """Drop the connection and everything that runs for it."""
        self._transport.abort()
        for task in self._apps | self._helpers:
            task.cancel()

    # What Hypercorn's protocols call

    async def send(self, event: Event) -> None:
        """Write bytes at the client's pace, close, or learn that no request runs."""
        if isinstance(event, RawData):
            self._write(event.data)
            await self._writable.wait()
        elif isinstance(event, Closed):
            self._close()
        elif isinstance(event, Updated):
            self._rest() if event.idle else self._work()

    async def spawn_app(
        self,
        app: App,
        config: Config,
        scope: Message,
        send: Callable[[Message | None], Awaitable[None]],
    ) -> Callable[[Message], Awaitable[None]]:
        """Run the application for one request; what is returned takes the request's events."""
        inbox = _Inbox(config.max_app_queue_size, self._http)
        task = self._loop.create_task(_call(app, scope, inbox, send))
        self._apps.add(task)
        task.add_done_callback(self._apps.discard)
        return inbox.put

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:  # Any: Hypercorn's own coroutine functions
        """Run one of the protocol's own tasks as long as the connection lives."""
        task = self._loop.create_task(function(*args))
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    def _protocol(self, wanted: type[Http1] | type[Http2]) -> Http1 | Http2:
        sock = self._transport.get_extra_info("socket")
        protocol = wanted(
            cast("Any", self._app),  # Any: Hypercorn types its own wrapper, which `spawn_app` does without
            self._config,
            self._context,
            cast("Any", self),  # Any: we are the task group
            ConnectionState(LifespanState({})),
            False,
            parse_socket_addr(sock.family, self._transport.get_extra_info("peername")),
            parse_socket_addr(sock.family, self._transport.get_extra_info("sockname")),
            self.send,
        )
        if isinstance(protocol, Http1):
            protocol.make_strict()
        return protocol

    async def _read(self) -> None:
        if self._limits.http2:
            await self._choose()
        while await self._more():
            data = bytes(self._incoming)
            self._incoming.clear()
            if not self._transport.is_closing():
                self._transport.resume_reading()
            self._busy = True
            await self._http.handle(RawData(data))
            self._busy = False

    async def _more(self) -> bool:
        while not self._incoming and not self._eof:
            self._arrived.clear()
            await self._arrived.wait()
        return bool(self._incoming)

    async def _choose(self) -> None:
        """HTTP/2 if the client opens with its preface, HTTP/1.1 if with anything else."""
        while len(self._incoming) < len(PREFACE) and not self._eof:
            if not PREFACE.startswith(self._incoming):
                return
            self._arrived.clear()
            await self._arrived.wait()
        if self._incoming.startswith(PREFACE):
            self._http = self._protocol(Http2)
            self._rest()
            await self._http.initiate()

    async def _run(self) -> None:
        """See the connection to its end, whatever the protocol makes of it."""
        await asyncio.wait([self._reader])
        _log_failure(self._reader)
        leaving = self._loop.create_task(self._http.handle(Closed()))
        await asyncio.wait([leaving])
        _log_failure(leaving)
        while self._apps:
            await asyncio.wait(self._apps)
        for task in self._helpers:
            task.cancel()
        self._close()
        self._closed(self)

    def _write(self, data: bytes) -> None:
        """Write at the end of this turn of the loop: a head and its body then leave in one piece."""
        if not data or self._lingering:
            return
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += data
        if len(self._outgoing) >= WRITE_AT_ONCE_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing and not self._transport.is_closing():
            self._transport.write(bytes(self._outgoing))
        self._outgoing.clear()

    def _left(self) -> None:
        self._eof = True
        self._arrived.set()
        if self._busy:  # it waits for a response or an application that would not hear of this (0.7)
            self._reader.cancel()

    def _work(self) -> None:
        """A request runs, and no clock does (0.5)."""
        self._idle = False
        self._disarm()

    def _rest(self) -> None:
        """No request runs: the clock is for the next one's head if that has begun, else for an idle connection."""
        begun = isinstance(self._http, Http1) and (bool(self._incoming) or self._http.begun)
        self._idle = not begun
        self._arm(self._limits.head_s if begun else self._limits.keep_alive_s)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self._loop.call_later(seconds, self._close)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        """Close, but let a client that is still sending read our answer before it meets a reset."""
        if self._transport.is_closing():
            return
        self._disarm()
        self._flush()
        talks = isinstance(self._http, Http2) or self._http.unread  # over HTTP/2 what arrives is acknowledged
        if talks and not self._eof and self._transport.can_write_eof():
            self._lingering = True
            self._transport.write_eof()
            self._transport.resume_reading()
            self._timer = self._loop.call_later(self._limits.linger_s, self._transport.abort)
            return
        self._transport.close()
        self._timer = self._loop.call_later(self._limits.linger_s, self._transport.abort)


class _Inbox:
    """The request's events. A disconnect is the last one, and every later read finds it again. With the first read the
    client is invited to send its body."""

    def __init__(self, size: int, http: Http1 | Http2) -> None:
        self._queue: asyncio.Queue[Message] = asyncio.Queue(size)
        self._gone = False
        self._uninvited = http if isinstance(http, Http1) else None

    async def put(self, message: Message) -> None:
        await self._queue.put(message)

    async def get(self) -> Message:
        if self._gone:
            return DISCONNECT
        if self._uninvited is not None:
            http, self._uninvited = self._uninvited, None
            await http.invite()
        message = await self._queue.get()
        self._gone = message["type"] == "http.disconnect"
        return message


async def _call(app: App, scope: Message, inbox: _Inbox, send: Callable[[Message | None], Awaitable[None]]) -> None:
    try:
        await app(scope, inbox.get, send)
    except Exception:  # as any ASGI server does
        log.exception("the application failed")
    finally:
        await send(None)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a connection failed", exc_info=error)
