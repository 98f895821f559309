"""The accepting half of a server, the same for every runner: caps, shedding, and the way down.

Connections are counted where they are accepted, so a flood costs one `accept` and one `close` each and never the last
file descriptor (0.17, S08).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from sentinel_core.running import Running
from sentinel_server.runners.base import Limits, Shutdown
from sentinel_server.runners.wire_refusal import refusal_bytes

log = logging.getLogger("sentinel.server")

OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE_S = 0.25
ACCEPTS_IN_A_ROW = 16
MAX_USER_TIMEOUT_S = 32_767.0
"""The largest interval that Linux takes for keep-alive probes."""


class Connection(Protocol):
    """One accepted connection, as an asyncio protocol that can be told to end."""

    def drain(self) -> None:
        """Close when idle, else after the response that is being written."""
        ...

    def cancel(self) -> None:
        """Cancel the requests that run."""
        ...

    def abort(self) -> None:
        """Drop the connection."""
        ...


Factory = Callable[[Callable[[Connection], None]], Any]  # Any: each runner has its own
"""Makes the asyncio protocol of one connection. It calls what it is given once, when connection and requests are over.
"""


class Acceptor:
    """Accepts connections on bound sockets until told to stop, then sees all of them off."""

    def __init__(self, sockets: Sequence[socket.socket], limits: Limits, factory: Factory) -> None:
        self._sockets = sockets
        self._limits = limits
        self._factory = factory
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._cap = limits.affordable_connections
        self._per_ip: Counter[str] = Counter()
        self._open: dict[Connection, str] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._shedding = False

    async def run(self, shutdown: Shutdown) -> None:
        """Serve until `shutdown`, as `Serve` promises."""
        for listener in self._sockets:
            listener.setblocking(False)
            listener.listen(self._limits.backlog)
            self._watch(listener)
        try:
            await _first(shutdown.begin.wait(), asyncio.shield(self._failed))
        finally:
            for listener in self._sockets:
                self._close(listener)
        await self._see_off(shutdown)

    def _watch(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            self._loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        """A few at a time, so that a flood of connections leaves time for those that are served."""
        try:
            for _ in range(ACCEPTS_IN_A_ROW):
                self._admit(*listener.accept())
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            self._loop.remove_reader(listener)
            if error.errno in OUT_OF_RESOURCES:  # wait instead of spinning (S08)
                log.warning("cannot accept connections: %s", error.strerror)
                self._loop.call_later(PAUSE_S, self._watch, listener)
            elif not self._failed.done():
                self._failed.set_exception(error)

    def _close(self, listener: socket.socket) -> None:
        """Take what the kernel has already accepted, then refuse: nobody is left in a dead queue (0.4)."""
        self._loop.remove_reader(listener)
        try:
            while True:
                self._admit(*listener.accept())
        except OSError:  # BlockingIOError: the queue is empty
            listener.close()

    def _admit(self, connection: socket.socket, address: Any) -> None:  # Any: its shape depends on the family
        ip = str(address[0]) if isinstance(address, tuple) else ""
        taken = len(self._open) + len(self._opening)
        if taken >= self._cap or (ip and self._per_ip[ip] >= self._limits.max_connections_per_ip):
            self._shed(connection, taken)
            return
        self._shedding = False
        self._per_ip[ip] += 1
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection, ip))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _shed(self, connection: socket.socket, taken: int) -> None:
        if not self._shedding:
            self._shedding = True
            log.warning("connection limit reached with %d open: refusing more", taken)
        with connection:
            try:
                connection.setblocking(False)
                connection.send(refusal_bytes("overloaded"))
            except OSError:
                return  # the client left first: nobody to tell

    async def _connect(self, connection: socket.socket, ip: str) -> None:
        protocol = self._factory(self._closed)
        self._open[protocol] = ip
        try:
            _set_options(connection, self._limits.user_timeout_s)
            await self._loop.connect_accepted_socket(lambda: protocol, connection)
        except (OSError, asyncio.CancelledError) as error:
            connection.close()
            self._closed(protocol)
            if isinstance(error, asyncio.CancelledError):
                raise

    def _closed(self, connection: Connection) -> None:
        ip = self._open.pop(connection, None)
        if ip is None:
            return
        self._per_ip[ip] -= 1
        if not self._per_ip[ip]:
            del self._per_ip[ip]
        self._changed.set()

    async def _see_off(self, shutdown: Shutdown) -> None:
        if self._opening:
            await asyncio.wait(self._opening)
        for connection in tuple(self._open):
            connection.drain()
        await _first(self._emptied(), shutdown.now.wait())
        if self._open:
            log.warning("drain deadline: cancelling the requests on %d connections", len(self._open))
            for connection in tuple(self._open):
                connection.cancel()
            await _within(self._limits.farewell_s, self._emptied())
        for connection in tuple(self._open):
            connection.abort()
        await _within(self._limits.farewell_s, self._emptied())

    async def _emptied(self) -> None:
        while self._open:
            self._changed.clear()
            await self._changed.wait()


def _set_options(connection: socket.socket, user_timeout_s: float) -> None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # asyncio sets this only on sockets that were made with an explicit protocol number; without it the second write
    # of a response waits 40 ms for the client's delayed acknowledgement.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # A client that vanished while nothing is being sent to it leaves no byte unacknowledged: probes do (C06).
        # Linux gives up at the user timeout since it last heard something, whichever of the two was sent.
        seconds = min(user_timeout_s, MAX_USER_TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, int(seconds / 2)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, int(seconds / 4)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


async def _first(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _cancel(tasks)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:  # Any: results are unused
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _within(seconds: float, wait: Running[None]) -> None:
    try:
        await asyncio.wait_for(wait, seconds)
    except TimeoutError:
        return
