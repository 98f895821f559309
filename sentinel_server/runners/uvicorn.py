"""Uvicorn's httptools protocol on our own listener: one server in this process. Needs the extra `fast`.

Serves HTTP/1.1 and WebSocket, not HTTP/2. What the parser (llhttp) refuses it refuses before we see more than the
error; the answer's code is then always `invalid_framing`.

| case | refused by | answer |
|---|---|---|
| H01 Content-Length with Transfer-Encoding | llhttp | 400 `invalid_framing`, closed |
| H02 two Content-Length, different or the same | llhttp | 400 `invalid_framing`, closed |
| H03 Content-Length `+5`, ` 0x5`, `5,5` | llhttp | 400 `invalid_framing`, closed |
| H04 Transfer-Encoding other than `chunked` | llhttp, runner | 400 `invalid_framing`, closed |
| H05 chunk terminator, chunk size of more than 16 digits | llhttp | 400 `invalid_framing`, closed |
| H05 chunk extensions and trailers over 256 bytes | runner | 400 `invalid_framing`, closed [1] |
| H06 obs-fold, bare LF, space before the colon | llhttp | 400 `invalid_framing`, closed |
| H07 `Upgrade: h2c` on clear text | runner | ignored: answered as HTTP/1.1, then closed |
| H07 `PRI * HTTP/2.0` on clear text | llhttp | 400 `invalid_framing`, closed |
| H08 no Host, two Host | edge | 400 `invalid_host` |
| H09 Host with `/ ? # @ \\` | edge | 400 `invalid_host` |
| H10 absolute-form target, fragment in the target | runner | 400 `invalid_framing`, closed |
| H10 path not in canonical form | edge | 400 `invalid_path` or 404 |
| H11 `CONNECT`, a method not known to llhttp | llhttp | 400 `invalid_framing`, closed |
| H11 method not served | edge | 405 `method_not_allowed` |
| H12 credentials that disagree | edge | 401 `invalid_api_key` |
| H13 head over `max_head_bytes` | runner | 431 `headers_too_large`, closed |
| H13 too many headers | edge | 431 `headers_too_large` |
| WebSocket's handshake of another version, without a key, or with frames | runner | 400 `invalid_framing`, closed |
| H14, H15 (HTTP/2 only) | | not served |

[1] Nobody sees them where the next request begins in the same read; they are dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from socket import socket
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from sentinel_server.runners.acceptor import Acceptor
from sentinel_server.runners.base import App, Limits, Message, Receive, Send, Shutdown
from sentinel_server.runners.uvicorn_connection import UvicornConnection


async def serve(app: App, sockets: Sequence[socket], limits: Limits, shutdown: Shutdown) -> None:
    """Serve with uvicorn, as `base.Serve` promises."""
    config = _config(app, limits)
    await Acceptor(sockets, limits, partial(UvicornConnection, config, ServerState(), limits)).run(shutdown)


def _ending(app: App) -> App:
    """The application without the cancellation that ends it: uvicorn would log that as a failure."""

    async def run(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            return

    return run


def _config(app: App, limits: Limits) -> Config:
    config = Config(
        cast("Any", _ending(app)),  # Any: uvicorn types every ASGI message
        lifespan="off",
        http="httptools",
        ws="wsproto",
        log_config=None,
        access_log=False,  # it holds decoded paths, which can forge lines (0.14)
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(limits.keep_alive_s),
    )
    config.load()
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of every malformed request
    return config
