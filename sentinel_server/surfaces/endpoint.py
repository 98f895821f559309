"""Declared endpoints and sockets, ours and those that plugins contribute, mounted behind the edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from sentinel_core.cancellation import own_failure
from sentinel_core.config import ServerSettings
from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.context import Client
from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.keys import Principal
from sentinel_server.admission import admitted
from sentinel_server.edge import INTERNAL_ERROR, Transaction, Watch
from sentinel_server.edge.body import read_body
from sentinel_server.edge.cors import same_origin
from sentinel_server.edge.head import check_json
from sentinel_server.edge.response_headers import wire_headers
from sentinel_server.edge.transaction import note


def route(contribution: Endpoint | Socket, gateway: Gateway) -> BaseRoute:
    """The route of one declaration."""
    if isinstance(contribution, Socket):
        return WebSocketRoute(contribution.path, SocketRoute(contribution, gateway))
    return Route(contribution.path, EndpointRoute(contribution, gateway), methods=[contribution.method])


class EndpointRoute:
    """One declared HTTP route as an ASGI application."""

    def __init__(self, endpoint: Endpoint, gateway: Gateway) -> None:
        self.policy = endpoint.policy
        self._endpoint = endpoint
        self._gateway = gateway
        self._settings: ServerSettings = gateway.settings.server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who calls, read the body within its limits, call the handler, send what it answers."""
        tx = Transaction.of(scope)
        if scope["method"] not in ("GET", "HEAD") and not same_origin(tx.headers) and not tx.cors:
            raise Refusal("route_not_allowed")
        async with Watch(tx, receive, self._settings) as watch:
            client = tx.client()
            principal = await admitted(self._gateway, self._endpoint, client)
            body = b""
            if tx.length != 0:
                body = await read_body(tx, receive, self._settings.max_body_bytes)
                if body:  # over HTTP/2 and in chunks, nothing in a head tells that there is none
                    check_json(tx.headers)
                principal = await admitted(self._gateway, self._endpoint, client)  # a body may outlive a key
            watch.body_arrived()
            query = _query(self._endpoint, tx)
            reply = await self._endpoint.handler(_request(tx, scope, query, client, principal, body))
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

    def __init__(self, socket: Socket, gateway: Gateway) -> None:
        self.policy = socket.policy
        self._socket = socket
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who calls, accept, and hand the connection to the handler; it is closed when the handler returns,
        and when whoever called may not call any more."""
        tx = Transaction.of(scope)
        client = tx.client()
        admit = partial(admitted, self._gateway, self._socket, client)
        await admit()
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        try:
            await self._socket.handler(Connection(websocket, client, admit))
        except WebSocketDisconnect:
            return
        except Refusal:
            raise  # the edge says it by the close code
        except (Exception, asyncio.CancelledError) as error:  # a handler's failure ends its connection, not the task
            if not own_failure(error):
                raise
            note(tx, error)
            await websocket.close(INTERNAL_ERROR)
        else:
            await websocket.close()


class Connection:
    """One accepted WebSocket, as handlers know it. Nothing passes without another look at who is there: a connection
    may outlive its key."""

    def __init__(self, websocket: WebSocket, client: Client, admit: Callable[[], Awaitable[Principal | None]]) -> None:
        self._websocket = websocket
        self._admit = admit
        self.client = client

    async def principal(self) -> Principal | None:
        """Who listens now. Raises `Refusal`, which closes the connection."""
        return await self._admit()

    async def send(self, text: str) -> None:
        """Send one text message. Raises `Refusal`, which closes the connection."""
        await self._admit()
        await self._websocket.send_text(text)

    async def messages(self) -> AsyncIterator[str]:
        """What the client says in text, until it leaves. Raises `Refusal`, which closes the connection."""
        while (message := await self._websocket.receive())["type"] == "websocket.receive":
            await self._admit()
            if (text := message.get("text")) is not None:
                yield text


def _query(endpoint: Endpoint, tx: Transaction) -> dict[str, str]:
    """The query's parameters. One that the route does not have would narrow nothing: whoever misspelt it would take
    everything for what was asked for. Raises `Refusal` (invalid_parameter)."""
    found = tx.query()
    unknown = next((name for name in found if name not in endpoint.query), None) if endpoint.query else None
    if unknown is not None:
        hint = did_you_mean(unknown, endpoint.query) or f"there are: {', '.join(endpoint.query)}"
        raise Refusal("invalid_parameter", f"There is no parameter {unknown!r} here; {hint}", param=unknown)
    return found


def _request(
    tx: Transaction,
    scope: Scope,
    query: dict[str, str],
    client: Client,
    principal: Principal | None,
    body: bytes,
) -> HttpRequest:
    return HttpRequest(
        method=scope["method"],
        path=scope["path"],
        path_params={name: str(value) for name, value in scope.get("path_params", {}).items()},
        query=query,
        client=client,
        body=body,
        id=tx.id,
        principal=principal,
    )


def _body(reply: HttpReply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
