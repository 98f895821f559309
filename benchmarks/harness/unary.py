"""Unary load: N kept connections, each sending its next request when the answer is in. Run it on uvloop: then it
and the mock together reach 60,000 requests per second on one core, ten times what the fastest gateway does."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final, cast

from benchmarks.harness import payloads
from benchmarks.harness.processes import Server

LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
CONNECT_S: Final = 10.0


class LoadError(Exception):
    """The target answered something else than 200, or not at all."""


@dataclass(frozen=True, slots=True)
class UnaryLoad:
    """What one burst of load saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class Burst:
    """What the connections of one burst share: when it ends, what it measured, and the first failure."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.port = server.port
        self.request = payloads.http_request(server.port, payloads.request_body(), server.headers)
        self.latencies: list[float] = []
        self.started = time.perf_counter()
        self.until = self.started + seconds
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", self.port)
        except OSError as error:
            self.fail(f"cannot connect: {error}")


class Connection(asyncio.Protocol):
    """One kept connection. Servers may close it between two answers (most do after 1,000); then it is opened again."""

    def __init__(self, burst: Burst) -> None:
        self._burst = burst
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._burst.request)

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        if not buffer.startswith(b"HTTP/1.1 200"):
            self._burst.fail(f"answer is not 200: {buffer[:500]!r}")
            return
        if _complete(buffer):
            self._buffer = b""
            self._finished()

    def _finished(self) -> None:
        burst, now = self._burst, time.perf_counter()
        burst.latencies.append(now - self._sent)
        if now < burst.until:
            self._send()
        elif not burst.done.done():
            burst.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._buffer:
            self._burst.fail(f"connection lost within an answer: {exc}")
        elif not self._burst.done.done():
            self._reconnect = asyncio.ensure_future(self._burst.connect())


def _complete(buffer: bytes) -> bool:
    end = buffer.find(b"\r\n\r\n") + 4
    if end < 4:
        return False
    length = LENGTH.search(buffer, 0, end)
    return len(buffer) >= end + int(length[1]) if length else buffer.endswith(b"0\r\n\r\n")


async def unary_load(server: Server, connections: int, seconds: float) -> UnaryLoad:
    """Load `server` for about `seconds`. Raises `LoadError` at the first answer that is not 200."""
    burst = Burst(server, seconds)
    openers = [asyncio.ensure_future(burst.connect()) for _ in range(connections)]
    await asyncio.wait_for(burst.done, seconds + CONNECT_S)
    elapsed = time.perf_counter() - burst.started
    for opener in openers:
        opener.cancel()
    times = sorted(burst.latencies)
    return UnaryLoad(len(times), elapsed, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000)
