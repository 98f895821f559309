"""The scripted upstream itself: accepts, records, and plays the scenario that the request's model names."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from sentinel_core.json_types import JsonObject
from tests.pace import PATIENCE_S
from tests.upstream.anthropic import message, message_stream
from tests.upstream.api import Said
from tests.upstream.cohere import CHAT, COHERE
from tests.upstream.gemini import GEMINI
from tests.upstream.link import Link, Received
from tests.upstream.ollama import chat, chat_lines
from tests.upstream.payloads import chat_stream, completion, response, response_stream
from tests.upstream.scenarios import Early, Reply, Scenario, Stream

_GEMINI = re.compile(r"/v1/models/([^/?]+):(stream)?[Gg]enerateContent")


class Upstream:
    """A raw-socket HTTP/1.1 server that misbehaves on request.

        async with Upstream() as up:
            up.script("slow-model", Stream([*chat_stream("a", done=False), Stall()]))
            ...  # let the gateway call up.base_url with {"model": "slow-model", ...}
            await up.closed()
            assert up.requests[0].header("authorization") == "Bearer key"

    A key of `script` is a model's name, a path such as "/v1/models", or None for any request. Several scenarios are
    played one a request, the last one for ever. What nobody scripted gets a good answer, "hello", unary or streamed
    as asked; an unscripted GET gets `{"object": "list", "data": []}`.

    `requests` holds what arrived, `connections` counts the accepted connections, `open` those open now, and
    `closed_by_peer` those that the gateway closed.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.closed_by_peer = 0
        self._tls = tls
        self._host = host
        self._scripts: dict[str | None, deque[Scenario]] = {}
        self._links: set[Link] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Link(self._made, self._lost), self._host, 0, ssl=self._tls, backlog=1024
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for link in list(self._links):
            link.closed_here = True
            link.transport.abort()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    @property
    def root(self) -> str:
        """The URL that paths are put after."""
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What a provider's `base_url` is set to, where its API is below `/v1`."""
        return f"{self.root}/v1"

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._links)

    def script(self, key: str | None, *scenarios: Scenario) -> None:
        """Play these for requests of this model or path, one a request; the last one stays."""
        self._scripts[key] = deque(scenarios)

    async def received(self, count: int = 1, timeout_s: float = PATIENCE_S) -> None:
        """Wait until `count` requests have arrived in full (an `Early` one: its head)."""
        await self._until(lambda: len(self.requests) >= count, timeout_s, f"{count} requests")

    async def closed(self, count: int = 1, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the gateway has closed `count` connections."""
        await self._until(lambda: self.closed_by_peer >= count, timeout_s, f"{count} connections closed by the gateway")

    async def idle(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until no connection is open."""
        await self._until(lambda: not self._links, timeout_s, "no open connection")

    async def _until(self, reached: Callable[[], bool], timeout_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not reached():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"the upstream waited {timeout_s} s for {what}") from None

    def _made(self, link: Link) -> None:
        self.connections += 1
        link.number = self.connections
        self._links.add(link)
        self._tasks.append(asyncio.get_running_loop().create_task(self._serve(link)))

    def _lost(self, link: Link) -> None:
        self.closed_by_peer += not link.closed_here
        self._links.discard(link)
        self._changed.set()

    async def _serve(self, link: Link) -> None:
        while (received := await self._receive(link)) is not None:
            scenario = received[1] or self._choose(received[0])
            await scenario.play(link)

    async def _receive(self, link: Link) -> tuple[Received, Scenario | None] | None:
        head = await link.head()
        if head is None:
            return None
        request = link.parse(head)
        early = self._next(None) if isinstance(self._peek(), Early) else None
        if early is None:
            body = await link.body(int(request.header("content-length") or 0))
            if body is None:
                return None
            request = replace(request, raw=head + body, body=body)
        self.requests.append(request)
        self._changed.set()
        return request, early

    def _choose(self, request: Received) -> Scenario:
        body = _fields(request)
        gemini = _GEMINI.match(request.target)
        for key in (gemini[1] if gemini else body.get("model"), request.target, None):
            if key in self._scripts:
                return self._next(key)
        if request.method == "GET":
            return Reply({"object": "list", "data": []})
        if gemini:
            return Stream(GEMINI.stream(Said()).whole) if gemini[2] else Reply(GEMINI.answer(Said()))
        if request.target.endswith("/messages"):
            return Stream(message_stream("hello")) if body.get("stream") else Reply(message())
        if request.target.endswith("/responses"):
            return Stream(response_stream("hello")) if body.get("stream") else Reply(response())
        if request.target == CHAT:
            return Stream(COHERE.stream(Said()).whole) if body.get("stream") else Reply(COHERE.answer(Said()))
        if request.target == "/api/chat":
            lines = Stream(chat_lines("hello"), content_type="application/x-ndjson")
            return lines if body.get("stream", True) else Reply(chat())
        return Stream(chat_stream("hello")) if body.get("stream") else Reply(completion())

    def _peek(self) -> Scenario | None:
        queue = self._scripts.get(None)
        return queue[0] if queue else None

    def _next(self, key: str | None) -> Scenario:
        queue = self._scripts[key]
        return queue.popleft() if len(queue) > 1 else queue[0]


def _fields(request: Received) -> JsonObject:
    """The members of a JSON body; none of any other body."""
    try:
        body = request.json
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
