"""One HTTP exchange at the edge: what came, and what went back."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Message, Scope, Send

from sentinel_core.context import Client
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import SentinelError
from sentinel_core.gateway import new_id
from sentinel_core.place import place
from sentinel_server.edge.cors import RawHeaders
from sentinel_server.edge.head import Headers
from sentinel_server.edge.life import Life
from sentinel_server.edge.response_headers import commit
from sentinel_server.edge.retry_advice import error_headers
from sentinel_server.termination import Cause

if TYPE_CHECKING:
    from sentinel_core.context import Context

log = logging.getLogger("sentinel.server")

JSON = b"application/json"
API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_FIXED: RawHeaders = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")
_KEY = "sentinel.transaction"
_ANSWER = ("http.response.start", "http.response.body")
_REFUSAL = ("websocket.http.response.start", "websocket.http.response.body")
"""The messages of ASGI of which an answer consists, to a request and to a WebSocket's handshake."""
_STARTS, _BODIES = zip(_ANSWER, _REFUSAL, strict=True)


def served_path(scope: Scope) -> str:
    """The path within this application."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path[len(root) :] if root and path.startswith(root) else path


class Envelope(msgspec.Struct, frozen=True):
    """How a route's clients read an error: its dialect, and the header besides `x-request-id` in which they look for
    the request's id."""

    dialect: Dialect
    id_header: bytes = b""


_OPENAI = Envelope(OPENAI_CHAT)


class Transaction:
    """Everything the edge knows of one request. Surfaces answer through it, so that no response lacks the headers
    that every response has: request id, response time, security and CORS headers."""

    __slots__ = (
        "_life",
        "_send",
        "address",
        "body_read",
        "bytes_in",
        "bytes_out",
        "cause",
        "cause_at",
        "close",
        "complete",
        "content_policy",
        "cors",
        "ctx",
        "envelope",
        "error",
        "first_byte",
        "headers",
        "id",
        "length",
        "scope",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, send: Send, life: Life, envelope: Envelope = _OPENAI) -> None:
        self.started = time.monotonic()
        self.scope = scope
        self._send = send
        self._life = life
        self.id = new_id()
        peer = scope.get("client")
        self.address: str = peer[0] if peer else ""
        self.envelope = envelope
        self.headers: Mapping[bytes, bytes] = {}
        self.length: int | None = 0
        self.cors: RawHeaders = ()
        self.content_policy = API_POLICY
        self.ctx: Context | None = None
        self.status = 0
        self.bytes_in = self.bytes_out = 0
        self.body_read = self.close = self.first_byte = self.complete = False
        self.cause: Cause | None = None
        self.cause_at = 0.0
        self.error: SentinelError | None = None
        scope[_KEY] = self

    @staticmethod
    def of(scope: Scope) -> Transaction:
        """The transaction of a request that came through the edge."""
        transaction: Transaction = scope[_KEY]
        return transaction

    def forget(self) -> None:
        """The request is over: leave no cycle between it and its scope."""
        self.scope.pop(_KEY, None)

    def adopt_id(self, value: bytes | None) -> None:
        """Take over the client's request id if it is a harmless token; else keep our own (H34)."""
        if value is not None and _ID.fullmatch(value):
            self.id = value.decode("ascii")

    async def send(self, message: Message) -> None:
        """ASGI's send, which adds the common headers and keeps count."""
        kind: str = message["type"]
        if kind in _STARTS:
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._common()]
        elif kind in _BODIES:
            self.bytes_out += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        elif kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.close" and not self.status:
            self.status = 403
        await self._send(message)

    def send_chunk(self, data: bytes) -> Awaitable[None]:
        """One piece of a body that goes on. Not a coroutine of its own: this runs for every event of every stream."""
        self.bytes_out += len(data)
        return self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def answer(
        self,
        status: int,
        body: bytes,
        *,
        content_type: bytes = JSON,
        headers: Iterable[tuple[bytes, bytes]] = (),
        more: bool = False,
    ) -> None:
        """A whole response, to a WebSocket's handshake too. With `more` the last, empty message is still to come: the
        client has everything, the server may not close yet."""
        begins, goes_on = _REFUSAL if self.scope["type"] == "websocket" else _ANSWER
        length = b"%d" % len(body)
        head = [(b"content-type", content_type), (b"content-length", length), *headers]
        await self.send({"type": begins, "status": status, "headers": head})
        await self.send({"type": goes_on, "body": body, "more_body": more})

    async def fail(self, error: SentinelError, *, headers: RawHeaders = (), more: bool = False) -> None:
        """Answer with an error in the envelope of the route's dialect, which is OpenAI's where a route has none."""
        self.error = error
        body = self.envelope.dialect.encode_error(error, self.id)
        stages = commit(self.ctx) if self.ctx else ()
        await self.answer(error.status, body, headers=(*error_headers(error), *stages, *headers), more=more)

    def ended(self, cause: Cause) -> None:
        """Note why the task was ended, and when. The first cause counts."""
        if self.cause is None:
            self.cause, self.cause_at = cause, time.monotonic()

    def client(self) -> Client:
        """Who is on the other end, and which path of this application is served."""
        return Client(address=self.address, headers=Headers(self.headers), route=served_path(self.scope))

    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last counts."""
        return dict(parse_qsl(self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))

    def elapsed_s(self) -> float:
        """Seconds since the request's head."""
        return time.monotonic() - self.started

    @property
    def http1(self) -> bool:
        """Whether this is HTTP/1: only there is `connection` a header."""
        return bool(self.scope.get("http_version", "1.1").startswith("1"))

    def _common(self) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"x-request-id", self.id.encode("ascii")),
            (b"x-response-time", b"%.2fms" % (self.elapsed_s() * 1000)),
            *_FIXED,
            (b"content-security-policy", self.content_policy),
            *self.cors,
        ]
        if self.envelope.id_header:
            headers.append((self.envelope.id_header, self.id.encode("ascii")))
        if (self.close or self._life.draining) and self.http1:
            headers.append((b"connection", b"close"))
        return headers


def note(tx: Transaction, raised: BaseException) -> None:
    """Log a failure of our own by type and place. Its text stays out: it may quote a prompt or a key (H39)."""
    log.error("request %s failed: %s (%s)", tx.id, type(raised).__name__, place(raised))
