"""An application on a real socket in this process, on the runners that the programme asks for."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, get_args

from sentinel_core.config import ServerSettings
from sentinel_core.config.settings import Runner
from sentinel_server import runners
from sentinel_server.runners.base import Limits, Shutdown
from tests.pace import PATIENCE_S
from tests.server.wire import Wire

RUNNERS = get_args(Runner) if os.environ.get("SENTINEL_TEST_RUNNERS") == "all" else ("hypercorn",)
LIMITS = replace(Limits.of(ServerSettings()), farewell_s=0.2)


class Served:
    """Where it listens, and how to end it."""

    def __init__(self, port: int, shutdown: Shutdown) -> None:
        self.port = port
        self.shutdown = shutdown

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def connect(self, *, receive_buffer: int | None = None) -> AsyncIterator[Wire]:
        """A connection of its own, closed at the end. A small `receive_buffer` makes a reader that stalls early."""
        raw = socket.socket()
        raw.setblocking(False)
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        limit = 2**16 if receive_buffer is None else receive_buffer
        reader, writer = await asyncio.open_connection(sock=raw, limit=limit)
        try:
            yield Wire(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def serving(app: Any, runner: str = RUNNERS[0]) -> AsyncIterator[Served]:  # any ASGI application
    """Serve `app` until the end of the block; its lifespan is not run."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # from here on whoever connects is queued until the server runs
    shutdown = Shutdown()
    server = asyncio.create_task(runners.load(runner)(app, [listener], LIMITS, shutdown))
    try:
        yield Served(listener.getsockname()[1], shutdown)
    finally:
        shutdown.hurry()
        await asyncio.wait_for(server, PATIENCE_S)
