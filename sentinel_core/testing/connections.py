"""Connection pools that count what was opened and not given back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager

from sentinel_core.services import DEFAULT_TIMEOUTS, HttpClient, HttpPools, HttpResponse, HttpTimeouts


class CountedPools(HttpPools):
    """Other pools, and how many of their responses were neither released nor aborted: `open`."""

    def __init__(self, pools: HttpPools) -> None:
        self._pools = pools
        self.open = 0

    @asynccontextmanager
    async def pool(self, *, connections: int) -> AsyncIterator[HttpClient]:
        """A pool of the others', counted."""
        async with self._pools.pool(connections=connections) as client:
            yield _Client(client, self)


class _Client(HttpClient):
    def __init__(self, client: HttpClient, pools: CountedPools) -> None:
        self._client = client
        self._pools = pools

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeouts: HttpTimeouts = DEFAULT_TIMEOUTS,
        deadline: float | None = None,
    ) -> HttpResponse:
        """Send it; the response counts as open."""
        response = await self._client.send(
            method, url, headers=headers, body=body, timeouts=timeouts, deadline=deadline
        )
        self._pools.open += 1
        return _Response(response, self._pools)


class _Response(HttpResponse):
    def __init__(self, response: HttpResponse, pools: CountedPools) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._pools = pools
        self._open = True

    async def read(self, limit: int) -> bytes:
        """The whole body."""
        return await self._response.read(limit)

    def chunk(self) -> Awaitable[bytes]:
        """The next piece of the body."""
        return self._response.chunk()

    async def release(self) -> None:
        """Give it back."""
        await self._response.release()
        self._given_back()

    async def abort(self) -> None:
        """Close it."""
        await self._response.abort()
        self._given_back()

    def _given_back(self) -> None:
        if self._open:
            self._open = False
            self._pools.open -= 1
