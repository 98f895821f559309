"""What the scripted upstream does with one request, from a plain answer to a reset in the middle of a chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from tests.upstream.link import Link
from tests.upstream.payloads import encoded

Headers: TypeAlias = Sequence[tuple[str, str]]


class Scenario(Protocol):
    """Plays against one connection after one request was read. Closing the link ends the connection."""

    async def play(self, link: Link) -> None: ...


@dataclass(frozen=True)
class Pause:
    """Wait this many seconds."""

    seconds: float

    async def play(self, link: Link) -> None:
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class Hold:
    """Wait until the test sets the event."""

    event: asyncio.Event

    async def play(self, link: Link) -> None:
        await self.event.wait()


@dataclass(frozen=True)
class Stall:
    """Send nothing more; wait until the gateway closes the connection. As a whole scenario: headers never come."""

    async def play(self, link: Link) -> None:
        await link.gone.wait()


@dataclass(frozen=True)
class Close:
    """FIN, without ending any framing."""

    async def play(self, link: Link) -> None:
        link.close()


@dataclass(frozen=True)
class Reset:
    """RST. What the gateway's kernel has received by then stays readable."""

    async def play(self, link: Link) -> None:
        link.reset()


@dataclass(frozen=True)
class Drip:
    """These bytes one at a time, with a pause after each, for ever if `forever`."""

    data: bytes
    pause_s: float
    forever: bool = False

    async def play(self, link: Link) -> None:
        while not link.gone.is_set():
            for index in range(len(self.data)):
                await link.send(self.data[index : index + 1])
                await asyncio.sleep(self.pause_s)
            if not self.forever:
                return


@dataclass(frozen=True)
class Endless:
    """These bytes again and again, as fast as the gateway takes them."""

    data: bytes

    async def play(self, link: Link) -> None:
        while not link.gone.is_set():
            await link.send(self.data)
            await asyncio.sleep(0)


Part: TypeAlias = bytes | Scenario


@dataclass(frozen=True)
class Raw:
    """Bytes exactly as written and steps between them, then FIN unless `keep`."""

    parts: Sequence[Part]
    keep: bool = False

    async def play(self, link: Link) -> None:
        for part in self.parts:
            await (link.send(part) if isinstance(part, bytes) else part.play(link))
        if not self.keep:
            link.close()


@dataclass(frozen=True)
class Reply:
    """A unary answer with a Content-Length. `body` may be bytes or JSON."""

    body: Any = b""  # JSON or bytes
    status: int = 200
    headers: Headers = ()
    content_type: str | None = "application/json"

    async def play(self, link: Link) -> None:
        body = encoded(self.body)
        await link.send(head(self.status, [*_typed(self), ("Content-Length", str(len(body)))]) + body)


@dataclass(frozen=True)
class Stream:
    """A streamed answer: parts as they are, each in a chunk of its own, with steps between them.

    `framing` "chunked" ends with the last chunk and keeps the connection; "eof" has no framing and ends with FIN.
    """

    parts: Sequence[Part]
    status: int = 200
    headers: Headers = ()
    content_type: str | None = "text/event-stream"
    framing: Literal["chunked", "eof"] = "chunked"

    async def play(self, link: Link) -> None:
        chunked = self.framing == "chunked"
        framing = ("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")
        await link.send(head(self.status, [*_typed(self), framing]))
        for part in self.parts:
            if not isinstance(part, bytes):
                await part.play(link)
            elif part:
                await link.send(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            await link.send(b"0\r\n\r\n")
        else:
            link.close()


@dataclass(frozen=True)
class Early:
    """Answer as soon as the request's head is there, without reading its body, and close.

    Only for `script(None, ...)`: the model is in the body.
    """

    reply: Reply

    async def play(self, link: Link) -> None:
        await self.reply.play(link)
        link.close()


@dataclass(frozen=True)
class Redirect:
    """A redirect to another address."""

    location: str
    status: int = 307
    headers: Headers = field(default=())

    async def play(self, link: Link) -> None:
        await Reply(b"", self.status, [("Location", self.location), *self.headers]).play(link)


def head(status: int, headers: Headers) -> bytes:
    """A response head."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _typed(reply: Reply | Stream) -> list[tuple[str, str]]:
    typed = [("Content-Type", reply.content_type)] if reply.content_type is not None else []
    return [*typed, *reply.headers]
