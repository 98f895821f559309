"""The ASGI application: a Starlette app for routing, behind the edge.

    app = create_app(Gateway.load())          # opens and closes the gateway in its own lifespan
    host.mount("/llm", asgi(gateway))         # embedded: the host runs `async with gateway:` in its lifespan

Neither installs signal handlers nor touches the logging configuration.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_server import health, openapi
from sentinel_server.edge import Edge, Envelope
from sentinel_server.surfaces import api_chat, chat, completions, embeddings, messages, models, responses
from sentinel_server.surfaces.dialect import DialectSurface, Surface
from sentinel_server.surfaces.docs import DocumentSurface, PageSurface
from sentinel_server.surfaces.endpoint import route

SURFACES: tuple[Surface, ...] = (
    chat.SURFACE,
    completions.SURFACE,
    embeddings.SURFACE,
    responses.SURFACE,
    *messages.SURFACES,
    api_chat.SURFACE,
)
PAGES = {"/docs": "docs.html", "/docs/docs.css": "docs.css", "/docs/docs.js": "docs.js"}


def create_app(gateway: Gateway) -> Edge:
    """An application that owns the gateway: its lifespan opens it, and drains and closes it at the end."""

    @asynccontextmanager
    async def lifespan(_: Application) -> AsyncIterator[None]:
        async with gateway:
            yield

    return _build(gateway, lifespan)


def asgi(gateway: Gateway) -> Edge:
    """The same application for a host that owns the gateway. Until the host opens it, requests are answered 503
    `not_started`. Paths are what follows the host's mount point (`path` minus `root_path`)."""
    return _build(gateway, None)


class Application(Starlette):
    """The routing table: our own routes, and those that the gateway's plugins contribute at present.

    Contributions may come with the gateway's opening and change with a reload, so the table is built anew whenever
    the gateway shows another tuple.
    """

    def __init__(
        self, gateway: Gateway, surfaces: Mapping[str, ASGIApp], lifespan: Lifespan[Application] | None
    ) -> None:
        super().__init__(lifespan=lifespan)
        self.router.default = _nowhere
        self.router.redirect_slashes = False  # one canonical path; a 307 would also make clients send a body twice
        self._gateway = gateway
        self._surfaces = surfaces
        self._contributed: tuple[Endpoint | Socket, ...] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request or connection."""
        self.refresh()
        try:
            await super().__call__(scope, receive, send)
        except HTTPException as error:
            if error.status_code != 405:
                raise
            raise HTTPException(405, headers={"Allow": ", ".join(self._methods(scope))}) from error

    def _methods(self, scope: Scope) -> set[str]:
        """Every method that this path has: Starlette names those of the first route alone."""
        routes = (route for route in self.routes if isinstance(route, Route) and route.matches(scope)[0] != Match.NONE)
        return {method for route in routes for method in route.methods or ()}

    def refresh(self) -> None:
        """Take over what plugins contribute at present."""
        contributed = self._gateway.endpoints
        if self._contributed is not contributed:
            self.router.routes = self._table(contributed)
            self._contributed = contributed

    def build_middleware_stack(self) -> ASGIApp:
        """The router alone: the edge catches everything. Starlette's outermost layer answers faults as text/plain
        (reliability 0.15)."""
        return self.router

    def _table(self, contributed: tuple[Endpoint | Socket, ...]) -> list[BaseRoute]:
        gateway = self._gateway
        ours: tuple[Endpoint | Socket, ...] = (*health.endpoints(gateway), *models.endpoints(gateway))
        described: list[Endpoint | openapi.Operation] = [
            *(surface.operation for surface in SURFACES),
            *(one for one in (*ours, *contributed) if isinstance(one, Endpoint)),
        ]
        return [
            *(Route(path, surface, methods=["POST"]) for path, surface in self._surfaces.items()),
            *(route(one, gateway) for one in ours),
            Route("/openapi.json", DocumentSurface(openapi.document(described)), methods=["GET"]),
            *(Route(path, PageSurface(name), methods=["GET"]) for path, name in PAGES.items()),
            *(route(one, gateway) for one in contributed),
        ]


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """No route has the path, for WebSockets as well: Starlette closes those without a word to anybody."""
    raise Refusal("not_found")


def _build(gateway: Gateway, lifespan: Lifespan[Application] | None) -> Edge:
    surfaces = {surface.operation.path: DialectSurface(gateway, surface) for surface in SURFACES}
    application = Application(gateway, surfaces, lifespan)
    envelopes = {surface.operation.path: Envelope(surface.dialect, surface.id_header) for surface in SURFACES}
    anthropics = {models.ANTHROPIC_VERSION.encode(): Envelope(ANTHROPIC_MESSAGES, messages.ID_HEADER)}
    return Edge(application, gateway, gateway.settings.server, surfaces, envelopes, anthropics)
