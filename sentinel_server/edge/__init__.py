"""The edge: one pure-ASGI layer around the application.

It refuses what a scope shows to be wrong, gives every response its common headers and every failure its JSON body, and
writes the access log. What only the server binary sees (bytes of the framing, connection counts) belongs to the runner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from sentinel_core.cancellation import own_failure, unasked
from sentinel_core.config import ServerSettings
from sentinel_core.endpoints import METHODS
from sentinel_core.errors import Refusal, SentinelError
from sentinel_server.edge.body import discard_body
from sentinel_server.edge.cors import Cors, Preflight, RawHeaders, same_origin
from sentinel_server.edge.forwarded import TrustedProxies
from sentinel_server.edge.head import body_length, check_credentials, check_host, read_headers
from sentinel_server.edge.life import Life
from sentinel_server.edge.path import check_path
from sentinel_server.edge.record import write_record
from sentinel_server.edge.transaction import Envelope, Transaction, note, served_path
from sentinel_server.edge.watch import Watch

__all__ = ["INTERNAL_ERROR", "Edge", "Envelope", "Transaction", "Watch"]

PROBES = frozenset({"/health/live", "/health/ready"})
"""Orchestrators ask them by an address, whatever names are served: they tell one word, and it is no secret."""
INTERNAL_ERROR = 1011  # RFC 6455 section 7.4.1
_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013  # IANA's registry of close codes
_ANSWER = "websocket.http.response"
"""The extension of ASGI with which a handshake is answered otherwise than with a bare 403."""
_NO_LINGER = frozenset({"request_timeout", "invalid_framing", "incomplete_body"})
"""Errors after which nothing more is read: the rest of the body is what was wrong."""


class Edge:
    """An ASGI application around another one.

    `exact` maps paths to ASGI applications that answer POST there without a look at the routing table: Starlette's
    router costs more than all checks of this layer. `envelopes` maps the paths whose clients read errors otherwise than
    OpenAI's; they hold for what the edge itself refuses, too. On all other paths a header of `client_envelopes` says
    whose client asks. `allowed_hosts` are those of the settings, unless whoever serves it says otherwise.
    """

    def __init__(
        self,
        app: ASGIApp,
        life: Life,
        settings: ServerSettings,
        exact: Mapping[str, ASGIApp],
        envelopes: Mapping[str, Envelope] = MappingProxyType({}),
        client_envelopes: Mapping[bytes, Envelope] = MappingProxyType({}),
    ) -> None:
        self.app = app
        self.settings = settings
        self.allowed_hosts = settings.allowed_hosts
        self._life = life
        self._exact = exact
        self._envelopes = envelopes
        self._client_envelopes = client_envelopes
        trusted, header = settings.trusted_proxies, settings.forwarded_header
        self._proxies = TrustedProxies(trusted, header) if trusted else None
        self._cors = Cors(settings.cors_origins) if settings.cors_origins else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection; a lifespan goes straight to the application."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        envelope = self._envelopes.get(served_path(scope))
        tx = Transaction(scope, send, self._life, envelope) if envelope else Transaction(scope, send, self._life)
        try:
            await self._chosen(tx, scope)(scope, receive, tx.send)
        except asyncio.CancelledError as error:
            if not unasked(error):
                await _farewell(tx)
                raise
            await self._fail(tx, receive, error)
            _forget_way(error)
        except Exception as error:  # noqa: BLE001 - the outermost catch: JSON errors always (0.15)
            await self._fail(tx, receive, error)
            _forget_way(error)
        finally:
            write_record(tx)
            tx.forget()

    def _chosen(self, tx: Transaction, scope: Scope) -> ASGIApp:
        """What serves this request. Raises `Refusal` for what the head shows to be wrong."""
        path = self._check(tx, scope)
        method = scope["method"]
        if method not in METHODS:
            raise Refusal("method_not_allowed")
        if method == "OPTIONS" and self._cors and (allowed := self._cors.preflight(tx.headers)) is not None:
            return Preflight(allowed)
        if not path.startswith("/health"):
            self._check_life()
        return self._exact.get(path, self.app) if method == "POST" else self.app

    def _check(self, tx: Transaction, scope: Scope) -> str:
        """Refuse what the head shows to be wrong. The path within this application."""
        settings = self.settings
        tx.length = None  # not known until the head is read
        headers = read_headers(
            scope["headers"], max_count=settings.max_header_count, max_bytes=settings.max_header_bytes
        )
        tx.headers = headers
        if self._proxies is not None:
            tx.address = self._proxies.client(tx.address, headers)
        tx.adopt_id(headers.get(b"x-request-id"))
        if self._cors and (origin := headers.get(b"origin")) is not None:
            tx.cors = self._cors.headers(origin)
        tx.length = body_length(headers) if tx.http1 or b"content-length" in headers else None
        served = served_path(scope)
        if served not in self._envelopes:
            tx.envelope = next((own for name, own in self._client_envelopes.items() if name in headers), tx.envelope)
        hosts = () if served in PROBES else self.allowed_hosts
        check_host(headers, hosts, scope.get("http_version", "1.1"))
        root: str = scope.get("root_path", "")
        path: str = scope["path"]
        check_path(scope.get("raw_path") or path.encode(), root.encode())
        check_credentials(headers)
        return served

    def _check_life(self) -> None:
        if self._life.draining:
            raise Refusal("draining", retry_after_s=1)
        if not self._life.started:
            raise Refusal("not_started", retry_after_s=1)

    async def _fail(self, tx: Transaction, receive: Receive, raised: BaseException) -> None:
        error, headers = _as_error(raised)
        if not isinstance(raised, SentinelError | HTTPException):
            note(tx, raised)
        if tx.status:  # too late for another status; never let a started response hang (0.8)
            tx.error = error
            if not tx.complete:
                await tx.send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        unread = not tx.body_read and tx.length != 0
        tx.close = tx.close or unread
        linger = unread and error.code not in _NO_LINGER and tx.cause is None and b"expect" not in tx.headers
        await tx.fail(error, headers=headers, more=linger)
        if linger:
            await discard_body(receive)
            await tx.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same checks for WebSockets, and an Origin that is ours: browsers send no preflight for them."""
        tx = Transaction(scope, send, self._life)
        try:
            if (failure := await self._failure(tx, scope, receive)) is not None:
                await _shut(tx, failure)
        finally:
            write_record(tx)

    async def _failure(self, tx: Transaction, scope: Scope, receive: Receive) -> BaseException | None:
        """What serving a WebSocket ends with. It is handed on, not raised: a runner would log what it says (H39),
        also as the context of what closing the connection raises."""
        try:
            self._check(tx, scope)
            self._check_life()
            if not same_origin(tx.headers) and not tx.cors:
                raise Refusal("route_not_allowed")
            await self.app(scope, receive, tx.send)
        except WebSocketDisconnect:
            return None
        except (Exception, asyncio.CancelledError) as error:  # the outermost catch
            if not own_failure(error):
                raise
            return error
        return None


async def _shut(tx: Transaction, raised: BaseException) -> None:
    """End a WebSocket for what was raised: its handshake with an answer that says why, where the server can give one,
    else by closing it. A failure of our own is noted."""
    tx.error, headers = _as_error(raised)
    code = _TRY_AGAIN_LATER if tx.error.should_retry else _POLICY_VIOLATION
    if not isinstance(raised, SentinelError | HTTPException):
        note(tx, raised)
        code = INTERNAL_ERROR
    if tx.status or _ANSWER not in (tx.scope.get("extensions") or ()):
        await tx.send({"type": "websocket.close", "code": code})
        return
    tx.close = True
    await tx.fail(tx.error, headers=headers)


async def _farewell(tx: Transaction) -> None:
    """The server ends this request with itself. Runners leave a moment for a last word."""
    if not tx.error:
        tx.error = Refusal("draining", retry_after_s=1)
        if not tx.status:
            tx.close = True
            await tx.fail(tx.error)


def _as_error(raised: BaseException) -> tuple[SentinelError, RawHeaders]:
    """What the client is told about an exception, and the headers that belong to it."""
    if isinstance(raised, SentinelError):
        if raised.code == "method_not_allowed":
            return raised, ((b"allow", ", ".join(sorted(METHODS)).encode()),)
        return raised, ()
    if isinstance(raised, HTTPException) and raised.status_code == 405:
        allow = (raised.headers or {}).get("Allow", "")
        return Refusal("method_not_allowed"), ((b"allow", ", ".join(sorted(allow.split(", "))).encode()),)
    return SentinelError("internal_error"), ()


def _forget_way(raised: BaseException) -> None:
    """Let go of the frames that an error has come through: they hold the exchange, which holds the error. Only the
    garbage collector would end that, and while it works every other request waits (L05)."""
    waiting: list[BaseException | None] = [raised]
    while waiting:
        error = waiting.pop()
        if error is not None and error.__traceback__ is not None:
            error.__traceback__ = None
            waiting += (error.__cause__, error.__context__)
