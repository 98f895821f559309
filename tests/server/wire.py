"""An HTTP/1.1 client that sends exactly the bytes it is given, and reads answers strictly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.pace import AT_ONCE_S, PATIENCE_S

HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
"""Headers with which a request asks for a WebSocket."""


@dataclass(frozen=True)
class Answer:
    """One response. `headers` have lower-case names; of repeated ones the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:  # whatever the server answers
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code; all four members of the envelope must be there."""
        error = self.json["error"]
        assert {"message", "type", "param", "code"} <= error.keys()
        assert isinstance(error["message"], str)
        assert error["message"]
        return str(error["code"])


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Write these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> Answer:
        """The next response's head; informational ones are skipped."""
        while True:
            raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
            status = int(first.split(" ")[1])
            if status >= 200:
                pairs = (line.partition(":") for line in lines)
                return Answer(status, {name.lower(): value.strip() for name, _, value in pairs})

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of a chunked body; ends only at its proper end."""
        while size := int(await asyncio.wait_for(self.reader.readuntil(b"\r\n"), PATIENCE_S), 16):
            yield (await asyncio.wait_for(self.reader.readexactly(size + 2), PATIENCE_S))[:-2]
        assert await self.reader.readexactly(2) == b"\r\n"

    async def answer(self) -> Answer:
        """The next whole response."""
        head = await self.head()
        if "content-length" in head.headers:
            body = await asyncio.wait_for(self.reader.readexactly(int(head.headers["content-length"])), PATIENCE_S)
        elif head.headers.get("transfer-encoding") == "chunked":
            body = b"".join([chunk async for chunk in self.chunks()])
        else:
            body = b""
        return Answer(head.status, head.headers, body)

    async def ask(self, data: bytes) -> Answer:
        """Send these bytes and read one response."""
        await self.send(data)
        return await self.answer()

    async def closed(self) -> bool:
        """Wait for the server to close; False if it sends something instead."""
        try:
            return await asyncio.wait_for(self.reader.read(1), AT_ONCE_S) == b""
        except ConnectionResetError:
            return True


def request(
    target: str = "/", *, method: str = "GET", headers: tuple[str, ...] = (), body: bytes | None = None
) -> bytes:
    """An HTTP/1.1 request with a Host, and with a JSON body where there is one."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
    if body is not None and not any(
        line.lower().startswith(("content-length", "transfer-encoding")) for line in headers
    ):
        lines.append(f"Content-Length: {len(body)}")
    if body is not None and not any(line.lower().startswith("content-type") for line in headers):
        lines.append("Content-Type: application/json")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
