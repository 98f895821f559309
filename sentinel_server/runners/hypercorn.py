"""Hypercorn's HTTP protocols on our own transport, tasks and timers: one server in this process.

Hypercorn's `worker_serve` cannot count connections where they are accepted, close its listener before its master lets
go (0.4), or give a cancelled request time for its last event. Its protocol classes can do everything else, so they are
what is used of it; `h11` below them is made strict (`strict_h11`).

| case | refused by | answer |
|---|---|---|
| H01 Content-Length with Transfer-Encoding | runner | 400 `invalid_framing`, closed |
| H02 two different Content-Length | h11 | 400 `invalid_framing`, closed |
| H03 Content-Length `+5`, ` 0x5`, `5,6` | h11 | 400 `invalid_framing`, closed |
| H04 Transfer-Encoding other than `chunked` | h11 | 400 `invalid_framing`, closed |
| H05 chunk terminator | h11 | 400 `invalid_framing`, closed |
| H05 chunk size of more than 16 digits, chunk line of more than 256 bytes | runner | 400 `invalid_framing`, closed |
| H06 obs-fold, bare LF | runner | 400 `invalid_framing`, closed |
| H06 space before the colon | h11 | 400 `invalid_framing`, closed |
| H07 `Upgrade: h2c` on clear text | runner | ignored: answered as HTTP/1.1 |
| H07 `PRI * HTTP/2.0` on clear text | runner | 400 `invalid_framing`, closed |
| H08 no Host, two Host | h11 | 400 `invalid_framing`, closed |
| H09 Host with `/ ? # @ \\` | edge | 400 `invalid_host` |
| H10 fragment in the target | runner | 400 `invalid_framing`, closed |
| H10 path not in canonical form | edge | 400 `invalid_path` or 404 |
| H11 method with small letters | runner | 400 `invalid_framing`, closed |
| H11 method not served | edge | 405 `method_not_allowed` |
| H12 credentials that disagree | edge | 401 `invalid_api_key` |
| H13 head over `max_head_bytes` | runner | 431 `headers_too_large`, closed |
| H13 too many headers | edge | 431 `headers_too_large` |
| WebSocket's handshake of another version, without a key, or with frames | runner | 400 `invalid_framing`, closed |
| H14 rapid reset (HTTP/2 only) | h2, Hypercorn | connection closed |
| H15 non-ASCII path, DATA after the reply, CONNECT not for a WebSocket (HTTP/2 only) | runner | that stream is reset |
| H15 malformed header fields, a body not as long as it says (HTTP/2 only) | h2 | connection closed with GOAWAY |
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from socket import socket

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from sentinel_server.runners.acceptor import Acceptor, Connection
from sentinel_server.runners.base import App, Limits, Shutdown
from sentinel_server.runners.hypercorn_connection import HypercornConnection


async def serve(app: App, sockets: Sequence[socket], limits: Limits, shutdown: Shutdown) -> None:
    """Serve with Hypercorn, as `base.Serve` promises."""
    config = _config(limits)
    context = WorkerContext(None)
    live: Callable[[Callable[[Connection], None]], HypercornConnection]
    live = partial(HypercornConnection, app, config, context, limits)
    await Acceptor(sockets, limits, live).run(shutdown)


def _config(limits: Limits) -> Config:
    config = Config()
    config.accesslog = None  # Hypercorn's log holds decoded paths, which can forge lines (0.14)
    config.errorlog = logging.getLogger("sentinel.server")
    config.include_server_header = False
    config.h11_max_incomplete_size = limits.max_head_bytes
    config.h2_max_header_list_size = limits.max_head_bytes
    config.keep_alive_max_requests = 1_000_000_000  # a busy client is no reason to close
    config.read_timeout = None  # it would cut running responses (0.5)
    return config
