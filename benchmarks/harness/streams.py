"""Stream load: N concurrent streams, started one after the other over a ramp, each opened again when it ends.

What is reported lies in a window after the ramp, when all N run; times to the first chunk are kept from the ramp on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

from benchmarks.harness import payloads
from benchmarks.harness.processes import Server
from benchmarks.harness.unary import LoadError

LAST_CHUNK: Final = b"0\r\n\r\n"
TAIL: Final = 24  # long enough to see a mark that two reads share, shorter than any event


class StreamLoad:
    """N streams at one server. Read `events` and `first_chunk_s` at any time; `check()` raises what went wrong."""

    def __init__(self, server: Server, ramp_s: float) -> None:
        self.port = server.port
        self.ramp_s = ramp_s
        self.request = payloads.http_request(server.port, payloads.request_body(stream=True), server.headers)
        self.events = 0
        self.first_chunk_s: list[float] = []
        self.open = 0
        self.closing = False
        self._failure: str | None = None
        self._connections: set[StreamConnection] = set()

    def check(self) -> None:
        """Raises `LoadError` with the first failure, if there was one."""
        if self._failure is not None:
            raise LoadError(self._failure)

    def fail(self, reason: str) -> None:
        self._failure = self._failure or reason

    async def ramp(self, streams: int) -> None:
        """Start the streams, evenly spread over the ramp, and wait until all have their first chunk."""
        loop, started = asyncio.get_running_loop(), time.perf_counter()
        for number in range(streams):
            await asyncio.sleep(started + self.ramp_s * number / streams - time.perf_counter())
            self.check()
            _, connection = await loop.create_connection(lambda: StreamConnection(self), "127.0.0.1", self.port)
            self._connections.add(connection)
        await self._settled(streams)

    async def _settled(self, streams: int) -> None:
        deadline = time.perf_counter() + 30
        while len(self.first_chunk_s) < streams:
            self.check()
            if time.perf_counter() > deadline:
                raise LoadError(f"{len(self.first_chunk_s)} of {streams} streams have begun")
            await asyncio.sleep(0.01)

    async def run(self, seconds: float) -> None:
        """Let the streams run. Raises `LoadError` if one of them failed."""
        await asyncio.sleep(seconds)
        self.check()

    def close(self) -> None:
        """Break off every stream."""
        self.closing = True
        for connection in self._connections:
            connection.abort()


class StreamConnection(asyncio.Protocol):
    """One connection with one stream at a time."""

    def __init__(self, load: StreamLoad) -> None:
        self._load = load
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def abort(self) -> None:
        self._transport.abort()

    def _send(self) -> None:
        self._began = False
        self._checked = False
        self._sent = time.perf_counter()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        load, known = self._load, self._tail
        seen = known + data
        if not self._checked:
            self._checked = True
            if not data.startswith(b"HTTP/1.1 200"):
                load.fail(f"answer is not 200: {data[:500]!r}")
        load.events += seen.count(b"\n\n") - known.count(b"\n\n")
        if not self._began and payloads.FIRST_CONTENT in seen:
            self._began = True
            load.first_chunk_s.append(time.perf_counter() - self._sent)
        self._tail = seen[-TAIL:]
        if seen.endswith(LAST_CHUNK):
            self._tail = b""
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._load.closing:
            self._load.fail(f"connection lost: {exc}")


@asynccontextmanager
async def stream_load(server: Server, streams: int, ramp_s: float) -> AsyncIterator[StreamLoad]:
    """`streams` running streams, all of them past their first chunk."""
    load = StreamLoad(server, ramp_s)
    try:
        await load.ramp(streams)
        yield load
    finally:
        load.close()
