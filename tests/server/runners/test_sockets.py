"""WebSockets on a runner: they hold their place, and a drain ends them."""

from __future__ import annotations

import asyncio

from sentinel_server.runners.base import Message, Receive, Send
from tests.pace import AT_ONCE_S
from tests.server.runners.conftest import FRAME, HANDSHAKE, SERVICE_RESTART, Socket, Start, closed, limits


async def test_a_drain_tells_a_socket_to_come_back_and_closes_it(serving: Start) -> None:
    app = Socket()
    async with serving(limits(), app) as served:
        reader, writer = await served.connect()
        writer.write(HANDSHAKE)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), AT_ONCE_S)).startswith(b"HTTP/1.1 101")
        served.shutdown.begin.set()
        assert (await closed(reader)).startswith(SERVICE_RESTART)
        writer.close()
        assert await asyncio.wait_for(app.ended.get(), AT_ONCE_S) == "websocket.disconnect"
        await served.stopped()


async def test_0_17_a_socket_that_is_gone_makes_room(serving: Start) -> None:
    app = Socket()
    async with serving(limits(max_connections=1), app) as served:
        for _ in range(3):
            while True:  # until the server has seen the last one go
                reader, writer = await served.connect()
                writer.write(HANDSHAKE)
                answer = await asyncio.wait_for(reader.read(12), AT_ONCE_S)
                if answer == b"HTTP/1.1 101":
                    break
                writer.close()
            writer.transport.abort()
            assert await asyncio.wait_for(app.ended.get(), AT_ONCE_S) == "websocket.disconnect"


async def test_a_handshake_may_be_answered_with_an_error_that_has_one_date(serving: Start) -> None:
    async def refuses(scope: Message, receive: Receive, send: Send) -> None:
        assert "websocket.http.response" in scope["extensions"]
        headers = [(b"content-length", b"2")]
        await send({"type": "websocket.http.response.start", "status": 429, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"no", "more_body": False})

    async with serving(limits(), refuses) as served:
        response = await served.exchange(HANDSHAKE)
    assert response.startswith(b"HTTP/1.1 429")
    assert response.endswith(b"\r\n\r\nno")
    assert response.lower().count(b"\r\ndate: ") == 1


async def test_0_17_a_frame_before_the_answer_is_refused_and_its_socket_makes_room(serving: Start) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def undecided(scope: Message, receive: Receive, send: Send) -> None:
        asked.put_nowait((await receive())["type"])
        asked.put_nowait((await receive())["type"])
        await send({"type": "websocket.accept"})  # what nobody hears any more does no harm

    async with serving(limits(farewell_s=60.0), undecided) as served:
        reader, writer = await served.connect()
        writer.write(HANDSHAKE)
        assert await asyncio.wait_for(asked.get(), AT_ONCE_S) == "websocket.connect"
        writer.write(FRAME)
        assert b"invalid_framing" in await closed(reader)
        assert await asyncio.wait_for(asked.get(), AT_ONCE_S) == "websocket.disconnect"
        writer.close()
        served.shutdown.begin.set()
        await served.stopped()
