"""The rig itself, driven by a plain socket client."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.upstream import Close, Early, Hold, Reply, Reset, Stall, Stream, Upstream, sse


async def ask(
    upstream: Upstream, model: str, body: bytes | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    payload = body if body is not None else json.dumps({"model": model}).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(payload), payload))
    return reader, writer


async def test_plays_a_models_scenarios_in_order_and_repeats_the_last(upstream: Upstream) -> None:
    upstream.script("m", Close(), Reply(b"second"))
    for expected in (b"", b"second", b"second"):
        reader, writer = await ask(upstream, "m")
        answer = await reader.read(65536)
        assert answer.endswith(expected)
        writer.close()
        await writer.wait_closed()
    assert [request.connection for request in upstream.requests] == [1, 2, 3]


async def test_chunks_stream_parts_and_waits_where_told(upstream: Upstream) -> None:
    go = asyncio.Event()
    upstream.script("m", Stream([sse({"a": 1}), Hold(go), sse({"a": 2})]))
    reader, writer = await ask(upstream, "m")
    await reader.readuntil(b'data: {"a":1}\n\n\r\n')
    go.set()
    await reader.readuntil(b'data: {"a":2}\n\n\r\n0\r\n\r\n')
    writer.close()
    await upstream.closed()


async def test_resets(upstream: Upstream) -> None:
    upstream.script("m", Reset())
    reader, writer = await ask(upstream, "m")
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    writer.close()
    assert upstream.closed_by_peer == 0


async def test_sees_that_the_other_side_closed(upstream: Upstream) -> None:
    upstream.script("m", Stall())
    _, writer = await ask(upstream, "m")
    await upstream.received()
    assert upstream.open == 1
    writer.close()
    await upstream.closed()
    await upstream.idle()


async def test_answers_before_the_body_was_sent(upstream: Upstream) -> None:
    upstream.script(None, Early(Reply(b"no", 413)))
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
    writer.close()
