"""Framework-neutral routes: what plugins contribute and what the server serves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from sentinel_core.context import Client
from sentinel_core.keys import Principal

Policy = Literal["public", "caller", "admin"]
"""Who may call: anybody; whoever the authenticator knows; administrators. To whom nobody knows, admin is 404."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods that the server accepts."""

PARAMETER = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)(:path)?\}")
"""One parameter in the path of a route: `{name}` for one segment, `{name:path}` for the rest."""

NO_STORE: Mapping[str, str] = MappingProxyType({"cache-control": "no-store"})
"""The headers of an answer that no cache may keep."""

ADMIN = "admin"
"""The scope of administrators."""

OWN_ROUTES = (
    *(("POST", "/v1/" + name) for name in ("chat/completions", "completions", "embeddings", "responses", "messages")),
    *(("POST", "/v1/messages/count_tokens"), ("POST", "/api/chat")),
    *(("GET", "/v1/models"), ("GET", "/v1/models/{id:path}")),
    *(("GET", "/health"), ("GET", "/health/live"), ("GET", "/health/ready")),
    *(("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/docs/docs.css"), ("GET", "/docs/docs.js")),
)
"""The methods and paths that the server answers itself, whatever plugins bring."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to an endpoint: decoded, bounded, authenticated according to the endpoint's policy. `principal` is who
    asks, where the chain has a stage that knows."""

    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    client: Client
    body: bytes = b""
    id: str = ""
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What an endpoint answers. `body` is encoded as JSON unless it is already bytes."""

    body: Any  # a JSON value, a Struct, or bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class SocketConnection(Protocol):
    """One WebSocket connection, accepted."""

    client: Client

    async def principal(self) -> Principal | None:
        """Who listens now, where the chain has a stage that knows. Raises `Refusal` as `send` does."""
        ...

    async def send(self, text: str) -> None:
        """Send one text message. Raises `Refusal` where the caller may not call any more; handlers let it pass."""
        ...

    def messages(self) -> AsyncIterator[str]:
        """What the client says in text, until it leaves; binary messages are passed over. Raises as `send` does."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One HTTP route: `method` is one of `METHODS`. `request` and `response` are the types that the OpenAPI document
    shows, `query` the names of the query's parameters: texts, none of them required. Where there are some, others are
    refused.

    `path` may hold `{name}` for one segment and `{name:path}` for the rest. Beside `admin`, principals with `scope` may
    call a route of that policy: its handler sees to it that they reach what is theirs, and no more.
    """

    method: str
    path: str
    handler: Callable[[HttpRequest], Awaitable[HttpReply]]
    policy: Policy = "admin"
    request: Any = None  # a type that msgspec can describe
    response: Any = None  # a type that msgspec can describe
    summary: str = ""
    tags: tuple[str, ...] = ()
    scope: str = ADMIN
    query: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Socket:
    """One WebSocket route."""

    path: str
    handler: Callable[[SocketConnection], Awaitable[None]]
    policy: Policy = "admin"
    summary: str = ""
    scope: str = ADMIN


def is_own(route: Endpoint | Socket) -> bool:
    """Whether a route of the server's own would always answer in the place of this one."""
    if isinstance(route, Socket):
        return False
    wanted = "GET" if route.method == "HEAD" else route.method
    paths = (path for method, path in OWN_ROUTES if method == wanted)
    return any(re.fullmatch(PARAMETER.sub(".*", path), route.path) for path in paths)
