"""Declared endpoints and sockets, ours and those that plugins contribute, mounted behind the edge.

No authenticator exists yet, so who calls is not known: `public` and `caller` routes are served, `admin` routes answer
404, as if they were not there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from sentinel_core.config import ServerSettings
from sentinel_core.context import Client
from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket
from sentinel_core.errors import Refusal
from sentinel_server.edge import Transaction, Watch
from sentinel_server.edge.body import read_body
from sentinel_server.edge.cors import same_origin
from sentinel_server.edge.response_headers import wire_headers
from sentinel_server.edge.transaction import note

_INTERNAL_ERROR = 1011  # RFC 6455 section 7.4.1


def route(contribution: Endpoint | Socket, settings: ServerSettings) -> BaseRoute | None:
    """The route of one declaration; None where nobody could call it."""
    if contribution.policy == "admin":
        return None
    if isinstance(contribution, Socket):
        return WebSocketRoute(contribution.path, SocketRoute(contribution))
    return Route(contribution.path, EndpointRoute(contribution, settings), methods=[contribution.method])


class EndpointRoute:
    """One declared HTTP route as an ASGI application."""

    def __init__(self, endpoint: Endpoint, settings: ServerSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body within its limits, call the handler, send what it answers."""
        tx = Transaction.of(scope)
        if scope["method"] not in ("GET", "HEAD") and not same_origin(tx.headers) and not tx.cors:
            raise Refusal("route_not_allowed")
        async with Watch(tx, receive, self._settings) as watch:
            body = await read_body(tx, receive, self._settings.max_body_bytes) if tx.length != 0 else b""
            watch.body_arrived()
            reply = await self._endpoint.handler(_request(tx, scope, body))
            watch.sending()
            watch.finishing()
            await tx.answer(
                reply.status,
                _body(reply),
                content_type=reply.content_type.encode("latin-1"),
                headers=wire_headers({name.lower(): value for name, value in reply.headers.items()}),
            )
            watch.release()


class SocketRoute:
    """One declared WebSocket route as an ASGI application."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept, and hand the connection to the handler; it is closed when the handler returns."""
        tx = Transaction.of(scope)
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        try:
            await self._socket.handler(Connection(websocket, tx.client()))
        except WebSocketDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - a handler's failure ends its connection, not the server's task
            note(tx, error)
            await websocket.close(_INTERNAL_ERROR)
        else:
            await websocket.close()


class Connection:
    """One accepted WebSocket, as handlers know it."""

    def __init__(self, websocket: WebSocket, client: Client) -> None:
        self._websocket = websocket
        self.client = client

    async def send(self, text: str) -> None:
        """Send one text message."""
        await self._websocket.send_text(text)

    def messages(self) -> AsyncIterator[str]:
        """What the client sends, until it leaves."""
        return self._websocket.iter_text()


def _request(tx: Transaction, scope: Scope, body: bytes) -> HttpRequest:
    return HttpRequest(
        method=scope["method"],
        path=scope["path"],
        path_params={name: str(value) for name, value in scope.get("path_params", {}).items()},
        query=tx.query(),
        client=tx.client(),
        body=body,
        id=tx.id,
    )


def _body(reply: HttpReply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
