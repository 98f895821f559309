"""One ASGI request without a server: the test decides when the client sends, reads and leaves."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Scope

from sentinel_core.json_types import JsonObject
from tests.pace import PATIENCE_S
from tests.server.wire import Answer


class AsgiClient:
    """Runs one request in a task of its own. `reading` is cleared to make a client that reads nothing."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        method: str = "POST",
        path: str = "/",
        body: bytes | None = b"{}",
        length: int | None = None,
        http_version: str = "1.1",
    ) -> None:
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.outbox: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.asked = 0
        self.reading = asyncio.Event()
        self.reading.set()
        if body is not None:
            self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": False})
        declared = len(body or b"") if length is None else length
        self.task = asyncio.ensure_future(self._run(app, scope(method, path, declared, http_version)))

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        self.asked += 1
        return await self.inbox.get()

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self.outbox.put_nowait(message)
        await self.reading.wait()

    def upload(self, data: bytes, *, more: bool = True) -> None:
        """Send a piece of the body."""
        self.inbox.put_nowait({"type": "http.request", "body": data, "more_body": more})

    def leave(self) -> None:
        """Disconnect."""
        self.inbox.put_nowait({"type": "http.disconnect"})

    async def next(self) -> Message:
        """The next message of the response."""
        return await asyncio.wait_for(self.outbox.get(), PATIENCE_S)

    async def ended(self) -> None:
        """Wait until the application has returned; what it raises is raised here."""
        await asyncio.wait_for(self.task, PATIENCE_S)

    @property
    def answer(self) -> Answer:
        """What has been sent so far."""
        start = self.sent[0]
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in self.sent[1:]))


def scope(method: str, path: str, length: int, http_version: str = "1.1") -> JsonObject:
    """A scope as servers make them."""
    return {
        "type": "http",
        "http_version": http_version,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % length),
        ],
        "client": ("127.0.0.1", 1),
    }
