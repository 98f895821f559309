"""Connection pools: what every call to an upstream has in common."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache

import aiohttp

from sentinel_core.services import HttpClient
from sentinel_plugins.http.client import AiohttpClient
from sentinel_plugins.http.constants import HEADERS, READ_BUFFER_BYTES
from sentinel_plugins.http.dialling import Dialler


class AiohttpPools:
    """Makes one pool of connections per provider.

    A pool follows no redirect, keeps no cookie, reads no proxy or netrc from the environment, verifies every
    certificate against the system's authorities (or those of `SSL_CERT_FILE`), and has no time limit of aiohttp's:
    each call brings its own.
    """

    def pool(self, *, connections: int) -> AbstractAsyncContextManager[HttpClient]:
        """A pool of at most `connections` connections, closed with the context."""
        return _pool(connections, _trusting(_authorities()))


def _authorities() -> tuple[tuple[str, int], ...]:
    """The file and the folder of trusted authorities, and when each changed last."""
    places = ssl.get_default_verify_paths()
    return tuple((place, os.stat(place).st_mtime_ns) for place in (places.cafile, places.capath) if place)


@lru_cache(maxsize=8)
def _trusting(authorities: tuple[tuple[str, int], ...]) -> ssl.SSLContext:
    """For all pools of the process that trust these: to load them takes some 20 ms and 2 MiB."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    return context


@asynccontextmanager
async def _pool(connections: int, tls: ssl.SSLContext) -> AsyncIterator[HttpClient]:
    # The second session keeps no connection: it is where a call goes that met a stale one.
    async with _session(Dialler(connections, tls)) as shared, _session(Dialler(connections, tls, keep=False)) as fresh:
        client = AiohttpClient(shared, fresh, connections)
        try:
            yield client
        finally:
            client.close()


def _session(dialler: Dialler) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=dialler,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        headers=HEADERS,
        auto_decompress=False,
        trust_env=False,
        read_bufsize=READ_BUFFER_BYTES,
    )
