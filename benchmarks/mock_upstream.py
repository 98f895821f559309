"""A mock OpenAI upstream that is no bottleneck: one asyncio.Protocol on uvloop, answers built before the first request.

Unary: a completion of 744 bytes. Stream: role, first content at once, further contents every `--interval-ms`, finish,
usage where it was asked for, `[DONE]`. Every throughput run lists it as target `direct`: that is its own capacity.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from typing import Final, cast

import uvloop

from benchmarks.harness import payloads

LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


UNARY: Final = _response(payloads.answer_body())
STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
ROLE: Final = _framed(payloads.chunk({"role": "assistant", "content": ""}))
WORDS: Final = [_framed(payloads.chunk({"content": f" {word}"})) for word in payloads.PROSE.split()]
FINISH: Final = _framed(payloads.chunk({}, "stop"))
USAGE: Final = _framed(payloads.chunk(None, usage={"prompt_tokens": 96, "completion_tokens": 100, "total_tokens": 196}))
DONE: Final = _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection. Requests are answered in order; a stream stops with its connection."""

    def __init__(self, chunks: int, interval_s: float) -> None:
        self._chunks = chunks
        self._interval_s = interval_s
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = LENGTH.search(buffer, 0, end)
        size = end + (int(length[1]) if length else 0)
        if len(buffer) >= size:
            self._buffer = buffer[size:]
            self._answer(buffer[end:size])

    def _answer(self, body: bytes) -> None:
        if payloads.STREAM_FLAG.search(body):
            self._transport.write(STREAM_HEAD + ROLE + WORDS[0])
            last = FINISH + (USAGE if payloads.USAGE_FLAG.search(body) else b"") + DONE
            self._next(self._chunks - 1, last)
        else:
            self._transport.write(UNARY)

    def _next(self, left: int, last: bytes) -> None:
        loop = asyncio.get_running_loop()
        if left:
            self._timer = loop.call_later(self._interval_s, self._word, left, last)
        else:
            self._transport.write(last)

    def _word(self, left: int, last: bytes) -> None:
        self._transport.write(WORDS[(self._chunks - left) % len(WORDS)])
        self._next(left - 1, last)


async def serve(port: int, chunks: int, interval_s: float) -> None:
    """Serve on loopback until cancelled."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(chunks, interval_s), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chunks", type=int, default=100, help="content chunks per stream")
    parser.add_argument("--interval-ms", type=float, default=10.0, help="between two content chunks")
    args = parser.parse_args()
    uvloop.run(serve(args.port, args.chunks, args.interval_ms / 1000))


if __name__ == "__main__":
    main()
