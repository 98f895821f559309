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
        return _pool(connections, _trusting(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")))


@lru_cache(maxsize=8)
def _trusting(file: str | None, directory: str | None) -> ssl.SSLContext:
    """For all pools of the process, since loading authorities takes some 20 ms and 2 MiB: those of the system, or of
    these places, as they were when they were first needed."""
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
