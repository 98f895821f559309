"""An outside world of one host: scripted answers by path, and what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from sentinel_core.errors import UpstreamError
from sentinel_core.services import DEFAULT_TIMEOUTS, HttpClient, HttpTimeouts


class Reply:
    """One response, all of it there."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        self._body = body

    async def read(self, limit: int) -> bytes:
        """The body, if it is within the limit."""
        if len(self._body) > limit:
            raise UpstreamError("upstream_invalid_response")
        return self._body

    async def chunk(self) -> bytes:
        """Not used here."""
        raise NotImplementedError

    async def release(self) -> None:
        """Nothing to give back."""

    async def abort(self) -> None:
        """Nothing to close."""


Answer = tuple[int, bytes] | None
Handler = Callable[[str, Mapping[str, str], bytes], Answer]


class Web:
    """Pools whose clients answer from `answers`, or by `handler`; None is a host that does not answer. Answers
    are under way while `answering` is not set."""

    def __init__(self, handler: Handler | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.headers: Mapping[str, str] = {}
        self.answering = asyncio.Event()
        self.answering.set()
        self._handler = handler

    @asynccontextmanager
    async def pool(self, *, connections: int) -> AsyncIterator[HttpClient]:
        """A client of this world."""
        yield self

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeouts: HttpTimeouts = DEFAULT_TIMEOUTS,
        deadline: float | None = None,
    ) -> Reply:
        """What the script says."""
        path = urlsplit(url).path
        self.asked.append(f"{method} {path}")
        answer = self._handler(path, headers, body or b"") if self._handler is not None else self.answers.get(path)
        await self.answering.wait()
        if answer is None:
            raise UpstreamError("upstream_unreachable")
        return Reply(*answer, self.headers)
