"""One accepted connection of the scripted upstream, down to its socket."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sentinel_core.json_types import JsonValue


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire. `connection` counts accepted connections from 1."""

    raw: bytes
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    @property
    def json(self) -> JsonValue:  # the gateway's body
        """The body, decoded."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The first header of this name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Link(asyncio.Protocol):
    """A connection: reads requests, sends bytes with back pressure, closes or resets. `gone` is set once the other
    side has closed or reset it."""

    def __init__(self, made: Callable[[Link], None], lost: Callable[[Link], None]) -> None:
        self.number = 0
        self.gone = asyncio.Event()
        self.closed_here = False
        self._made = made
        self._lost = lost
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._arrived.set()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._arrived.set()
        self._writable.set()
        self._lost(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def send(self, data: bytes) -> None:
        """Write, waiting while the other side does not read. Writing to a closed connection does nothing."""
        await self._writable.wait()
        if not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        """FIN, after what was written."""
        self.closed_here = True
        self.transport.close()

    def reset(self) -> None:
        """RST: linger 0 makes the kernel send one instead of FIN."""
        self.closed_here = True
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def head(self) -> bytes | None:
        """The next request's head, None once the connection is over."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not await self._more():
                return None
        return self._take(end + 4)

    async def body(self, length: int) -> bytes | None:
        """The next `length` bytes, None if the connection ends before them."""
        while len(self._buffer) < length:
            if not await self._more():
                return None
        return self._take(length)

    def parse(self, head: bytes) -> Received:
        """The request of this head, still without its body."""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name, value.strip()) for name, _, value in pairs)
        return Received(head, method, target, headers, b"", self.number)

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def _more(self) -> bool:
        if self.gone.is_set():
            return False
        self._arrived.clear()
        await self._arrived.wait()
        return not self.gone.is_set()
