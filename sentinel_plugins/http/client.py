"""A pool's front: sends requests, and counts what is on its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import lru_cache

import aiohttp
from yarl import URL

from sentinel_core.errors import UpstreamError
from sentinel_core.services import HttpTimeouts
from sentinel_plugins.http.response import AiohttpResponse
from sentinel_plugins.http.sending import Outgoing, Sending

LINGER_S = 0.1
"""How long a body that was read far enough may take to end before its connection is closed instead of reused: after
`[DONE]` the last chunk of the framing is often a packet of its own."""

parsed_url = lru_cache(maxsize=64)(URL)


class AiohttpClient:
    """A pool of connections to upstreams.

    A request that meets a reused connection which its peer has already closed is sent once more on a fresh one: no
    byte of a response had come, and this is how keep-alive ends (RFC 9112, section 9.3.1; reliability row U05).
    """

    def __init__(self, shared: aiohttp.ClientSession, fresh: aiohttp.ClientSession, connections: int) -> None:
        self._shared = shared
        self._fresh = fresh
        self._connections = connections
        self._busy = 0
        self._lingering: set[aiohttp.ClientResponse] = set()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeouts: HttpTimeouts = HttpTimeouts(),  # noqa: B008 - frozen
        deadline: float | None = None,
    ) -> AiohttpResponse:
        """Send one request and wait for the head of its response; see `sentinel_core.services.HttpClient`.

        Waiting for a free connection counts as connecting; where the pool stays full, the error is `overloaded`.
        """
        total_s = timeouts.total_s
        if deadline is not None and (total_s := min(total_s, deadline - time.monotonic())) <= 0:
            raise UpstreamError("upstream_timeout", attempted=False)
        sending = Sending(Outgoing(method, parsed_url(url), headers, body), timeouts, total_s)
        self._busy += 1
        try:
            response = await sending.run(self._shared, self._fresh)
        except BaseException:  # whoever is cancelled is no longer busy, either
            full = self._busy > self._connections
            self._busy -= 1
            if full and sending.queued:
                raise UpstreamError("overloaded", attempted=False) from None
            raise
        return AiohttpResponse(response, sending, self._ended)

    def close(self) -> None:
        """Close what still lingers; the sessions close everything else."""
        for response in tuple(self._lingering):
            self._close(response)

    def _ended(self, response: aiohttp.ClientResponse | None) -> None:
        self._busy -= 1
        if response is not None and not response.closed:
            self._lingering.add(response)
            asyncio.get_running_loop().call_later(LINGER_S, self._close, response)

    def _close(self, response: aiohttp.ClientResponse) -> None:
        self._lingering.discard(response)
        response.close()
