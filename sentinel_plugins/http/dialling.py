"""What only the connector sees of a call: its socket, and the moment when it has a connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import AddrInfoType, Connection
    from aiohttp.tracing import Trace


class Dial:
    """One call's way to its connection. `fresh` says that a socket was opened for it, so it is not a reused one."""

    __slots__ = ("_connected", "connection", "sockets")

    def __init__(self, connected: Callable[[], None]) -> None:
        self._connected: Callable[[], None] | None = connected
        self.sockets: list[socket.socket] = []
        self.connection: Connection | None = None

    @property
    def fresh(self) -> bool:
        """A connection was opened for this call."""
        return bool(self.sockets)

    @property
    def in_handshake(self) -> bool:
        """TCP is connected, and nothing is ready to be sent yet: the TLS handshake is on."""
        return self.connection is None and any(_is_connected(each) for each in self.sockets)

    @property
    def lost(self) -> bool:
        """Nothing comes over the connection any more."""
        return self.connection is not None and self.connection.closed

    @property
    def end(self) -> asyncio.Future[None] | None:
        """Done once the connection is lost. None where the call no longer has it, because its answer is over."""
        protocol = self.connection.protocol if self.connection is not None else None
        return protocol.closed if protocol is not None else None

    @property
    def failure(self) -> BaseException | None:
        """What aiohttp's parser, or the socket, could not go on from."""
        protocol = self.connection.protocol if self.connection is not None else None
        return protocol.exception() if protocol is not None else None

    def arrived(self, connection: Connection) -> None:
        """There is a connection; the request goes out now."""
        self.connection = connection
        connected, self._connected = self._connected, None  # no cycle is left for the garbage collector
        if connected is not None:
            connected()

    def abort(self) -> None:
        """Close the connection without waiting for what is still unsent, or for TLS to say good-bye."""
        transport = self.connection.transport if self.connection is not None else None
        if transport is not None:
            transport.abort()


DIAL: ContextVar[Dial] = ContextVar("DIAL")
"""The call that runs in this task; aiohttp hands nothing of ours through to the connector."""


class Dialler(aiohttp.TCPConnector):
    """A pool of connections that tells the calling `Dial` what it does."""

    def __init__(self, connections: int, tls: ssl.SSLContext, *, keep: bool = True) -> None:
        super().__init__(limit=connections, ssl=tls, force_close=not keep, socket_factory=_open_socket)

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        """A connection, from the pool or new. Waits while the pool is full."""
        dial = DIAL.get()
        connection = await super().connect(req, traces, timeout)
        while not dial.fresh and _has_spoken(connection):
            connection.close()
            connection = await super().connect(req, traces, timeout)
        dial.arrived(connection)
        if dial.fresh and (end := dial.end) is not None:
            end.add_done_callback(_heard)
        return connection


def _open_socket(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    DIAL.get().sockets.append(opened)
    return opened


def _has_spoken(connection: Connection) -> bool:
    """Something came over a connection of the pool while nobody had asked: it would be read as the next answer."""
    return connection.protocol is not None and connection.protocol.should_close


def _heard(end: asyncio.Future[None]) -> None:
    """Ask for the error with which an idle connection ended, or the loop reports that nobody did."""
    if not end.cancelled():
        end.exception()


def _is_connected(each: socket.socket) -> bool:
    try:
        each.getpeername()
    except OSError:
        return False
    return True
