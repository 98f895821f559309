"""What stands between a gateway and its Redis, and goes wrong on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import hiredis

from tests.ports import HOST

CHUNK = 65_536


class Shim:
    """A TCP proxy in front of a server, in the test's own event loop. At first everything passes.

    `commands` are the names of those that came, `accepted` is how many connections there were. With `tls` it takes TLS
    connections and makes plain ones.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._delay_s, self._every, self._answers = 0.0, 1, 0
        self._error = b""
        self.port = 0
        self.accepted = 0
        self.commands: list[str] = []

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis{'s' if self._tls else ''}://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.refuse()

    async def listen(self) -> None:
        """Accept connections, always at the same port."""
        self._server = await asyncio.start_server(self._accepted, HOST, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens any more, and every connection is reset."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """Reset every connection; new ones are accepted."""
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def lead_to(self, port: int) -> None:
        """New connections go to another server."""
        self._upstream = port

    def freeze(self) -> None:
        """Connections stay, and are accepted, but nothing passes."""
        self._passing.clear()

    def thaw(self) -> None:
        """What was held back passes."""
        self._passing.set()

    def delay(self, seconds: float, *, every: int = 1) -> None:
        """Answers come later by so much; with `every`, one in so many, and those behind it: as after a lost packet."""
        self._delay_s = seconds
        self._every = every

    def answer(self, error: str) -> None:
        """Every command is answered with this error and goes no further; "" ends that."""
        self._error = error.encode()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def ended(connection: asyncio.Task[None]) -> None:
            self._connections.discard(connection)
            writer.transport.abort()

        self.accepted += 1
        connection = asyncio.create_task(self._joined(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(ended)
        if self._server is None or not self._server.is_serving():
            connection.cancel()  # it was accepted as the last thing before nobody listened any more

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection and its other half, until one of them ends."""
        try:
            above, below = await asyncio.open_connection(HOST, self._upstream)
        except ConnectionError:
            return  # there is no server at the moment
        ways = [
            asyncio.create_task(self._pump(reader, self._down(below, writer))),
            asyncio.create_task(self._pump(above, self._up(writer))),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            below.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)

    async def _pump(self, source: asyncio.StreamReader, target: Callable[[bytes], Awaitable[None]]) -> None:
        try:
            while data := await source.read(CHUNK):
                await self._passing.wait()
                await target(data)
        except ConnectionError:
            return

    def _down(self, below: asyncio.StreamWriter, back: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
        commands = hiredis.Reader()

        async def send(data: bytes) -> None:
            commands.feed(data)
            while (command := commands.gets()) is not False:
                self.commands.append(command[0].decode())
                if self._error:
                    back.write(b"-" + self._error + b"\r\n")
            if not self._error:
                below.write(data)

        return send

    def _up(self, back: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
        async def send(data: bytes) -> None:
            self._answers += 1
            if self._delay_s and self._answers % self._every == 0:
                await asyncio.sleep(self._delay_s)
            back.write(data)

        return send
