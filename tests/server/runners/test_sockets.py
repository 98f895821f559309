"""WebSockets on a runner: they hold their place, and a drain ends them."""

from __future__ import annotations

import asyncio

from sentinel_server.runners.base import Message, Receive, Send
from tests.pace import AT_ONCE_S
from tests.server.runners.conftest import Start, closed, limits

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SERVICE_RESTART = b"\x88\x02\x03\xf4"  # RFC 6455, section 7.4, and IANA's 1012


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
