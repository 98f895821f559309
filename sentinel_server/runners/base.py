"""What a runner is: an ASGI server in this process, on sockets it is given, that drains when it is told to."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from socket import socket
from typing import Any, Protocol, TypeAlias

from sentinel_core.config import ServerSettings

Message: TypeAlias = MutableMapping[str, Any]  # an ASGI event
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

RESERVED_FILES = 64
FILES_PER_CONNECTION = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server itself bounds, before any application code runs.

    A head that has begun must end within `head_s`; a connection without a request is closed after `keep_alive_s`. A
    head holds at most `max_head_bytes`. `max_connections` and `max_connections_per_ip` count accepted connections.
    `user_timeout_s` closes a connection whose peer acknowledges nothing for that long (C06). `linger_s` is how long a
    closing connection may still hand over what was written, `farewell_s` what a cancelled request gets for its last
    word. `http2` takes HTTP/2 with prior knowledge.
    """

    max_connections: int
    max_connections_per_ip: int
    backlog: int
    max_head_bytes: int
    user_timeout_s: float
    http2: bool
    head_s: float = 10.0
    keep_alive_s: float = 75.0
    linger_s: float = 2.0
    farewell_s: float = 1.0

    @classmethod
    def of(cls, server: ServerSettings) -> Limits:
        """The limits that `[server]` sets. Heads may be twice as large as the edge accepts, so that it can answer."""
        return cls(
            max_connections=server.max_connections,
            max_connections_per_ip=server.max_connections_per_ip,
            backlog=server.backlog,
            max_head_bytes=2 * server.max_header_bytes,
            user_timeout_s=server.tcp_user_timeout_s,
            http2=server.http2,
        )

    @property
    def affordable_connections(self) -> int:
        """`max_connections`, or fewer where the process may not open that many files.

        A request needs two: the client's connection and the upstream's (S08).
        """
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY:
            return self.max_connections
        return max(1, min(self.max_connections, (soft - RESERVED_FILES) // FILES_PER_CONNECTION))


class Shutdown:
    """When to stop. `begin`: accept nothing more and let requests end. `now`: cancel those that still run."""

    def __init__(self) -> None:
        self.begin = asyncio.Event()
        self.now = asyncio.Event()

    def hurry(self) -> None:
        """Stop at once."""
        self.begin.set()
        self.now.set()


class Serve(Protocol):
    """What a runner module offers."""

    async def __call__(self, app: App, sockets: Sequence[socket], limits: Limits, shutdown: Shutdown) -> None:
        """Serve `app` on bound sockets until `shutdown` says so; returns when every connection is closed.

        The sockets are listened on, and closed at `shutdown.begin`: whoever connects later is refused, not hung (0.4).
        Requests that run then are finished, with `Connection: close`; at `shutdown.now` they are cancelled, have
        `limits.farewell_s` to end, and are cut. The application's lifespan is not run.
        """
        ...
