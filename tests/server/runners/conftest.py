"""A runner in this loop, serving a small plain ASGI application, and raw sockets to talk to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import pytest

from sentinel_core.config import ServerSettings
from sentinel_server.runners import load
from sentinel_server.runners.base import App, Limits, Message, Receive, Send, Shutdown
from tests.pace import AT_ONCE_S
from tests.server.serving import RUNNERS

SHORT_S = 0.1

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FRAME = b"\x81\x82\x00\x00\x00\x00hi"
"""A text message from a client that masks with nothing."""
SERVICE_RESTART = b"\x88\x02\x03\xf4"  # RFC 6455, section 7.4, and IANA's 1012


@dataclass
class Served:
    """One running server. `requests` lists the paths that reached the application."""

    port: int
    shutdown: Shutdown
    task: asyncio.Task[None]
    application: Application
    host: str

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of one's own."""
        return await asyncio.open_connection(self.host, self.port)

    async def exchange(self, data: bytes) -> bytes:
        """Send bytes and read until the server closes."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), AT_ONCE_S)
        finally:
            writer.close()

    async def stopped(self) -> None:
        """The server has ended."""
        await asyncio.wait_for(self.task, AT_ONCE_S)


@dataclass
class Application:
    """Echoes bodies. `/stream` says one word and the rest when told to; `/hang` waits for the end of its client."""

    requests: list[str] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        path = scope["path"]
        self.requests.append(path)
        try:
            await self._answer(path, receive, send)
        except asyncio.CancelledError:
            await send({"type": "http.response.body", "body": b"cancelled", "more_body": False})
            self.ended.put_nowait("cancelled")
            raise

    async def _answer(self, path: str, receive: Receive, send: Send) -> None:
        if path == "/hang":
            await self._hang(receive)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if path == "/stream":
            await send({"type": "http.response.body", "body": b"first ", "more_body": True})
            self.waiting.set()
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"last " + body})

    async def _hang(self, receive: Receive) -> None:
        self.waiting.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        self.ended.put_nowait("disconnected")


class Socket:
    """Accepts, and tells how it ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        assert scope["type"] == "websocket"
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        self.ended.put_nowait(message["type"])


Start: TypeAlias = Callable[..., AbstractAsyncContextManager[Served]]


def limits(**changes: Any) -> Limits:  # values of its fields
    """The limits of an installation that says nothing, but for these, and for farewells, which are short."""
    return replace(Limits.of(ServerSettings()), **{"farewell_s": SHORT_S, "linger_s": SHORT_S, **changes})


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    """Each runner's name; both with SENTINEL_TEST_RUNNERS=all."""
    name: str = request.param
    return name


@pytest.fixture
def serving(runner: str) -> Start:
    """`async with serving(limits) as served:` with the runner under test."""

    @asynccontextmanager
    async def start(
        bounds: Limits | None = None, app: App | None = None, host: str = "127.0.0.1"
    ) -> AsyncIterator[Served]:
        listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        application = Application()
        shutdown = Shutdown()
        serve = load(runner)(app or application, [listener], bounds or limits(), shutdown)
        served = Served(listener.getsockname()[1], shutdown, asyncio.create_task(serve), application, host)
        try:
            yield served
        finally:
            shutdown.hurry()
            await served.stopped()

    return start


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What is left to read, once the server has closed. A reset counts as closed."""
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), AT_ONCE_S)
    return b""
