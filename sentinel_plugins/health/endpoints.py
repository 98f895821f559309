"""The routes under `/api`, and the socket beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from sentinel_core.endpoints import NO_STORE, Endpoint, HttpReply, HttpRequest, Socket, SocketConnection
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.health import report
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.feed import serve
from sentinel_plugins.health.incidents import INCIDENT_TYPES, KEPT, Incident, Incidents
from sentinel_plugins.health.watcher import Watcher
from sentinel_plugins.recording.asked import limit
from sentinel_plugins.recording.reach import reach

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpReply]]


class IncidentList(msgspec.Struct, frozen=True):
    """The body of `GET /api/incidents`, newest first."""

    incidents: list[Incident]
    count: int


class Routes:
    """The handlers of one gateway."""

    def __init__(self, gateway: Gateway, config: HealthConfig) -> None:
        self._gateway = gateway
        self._config = config
        self._watcher = Watcher(gateway, config.interval_s)

    def all(self) -> tuple[Endpoint | Socket, ...]:
        """Every route, open to callers: the source system served them without a key."""
        wrong = "What went wrong, newest first"
        return (
            _declare("GET", "/api/providers/status", self._statuses, report.ProviderStatuses, "How providers are"),
            _declare("POST", "/api/providers/{name}/probe", self._probe, report.ProviderStatus, "Ask a provider now"),
            _declare("GET", "/api/incidents", self._incidents, IncidentList, wrong, "type", "limit"),
            _declare("GET", "/api/metrics", self._metrics, report.Metrics, "Requests, failovers and latency"),
            Socket("/ws/system-events", self._events, "caller", "Provider states, incidents and metrics as they come"),
        )

    async def _statuses(self, _: HttpRequest) -> HttpReply:
        return HttpReply(report.statuses(self._gateway), headers=NO_STORE)

    async def _probe(self, request: HttpRequest) -> HttpReply:
        name = request.path_params["name"]
        if name not in self._gateway.providers:
            raise Refusal("not_found", f"No provider is called {name!r}.")
        return HttpReply(await self._watcher.probe(name), headers=NO_STORE)

    async def _incidents(self, request: HttpRequest) -> HttpReply:
        kind = request.query.get("type")
        if kind is not None and kind not in INCIDENT_TYPES:
            allowed = ", ".join(INCIDENT_TYPES)
            raise Refusal("invalid_parameter", f"The parameter 'type' must be one of: {allowed}.", param="type")
        found = await Incidents(self._gateway.records).latest(limit(request, KEPT), kind)
        visible = reach(request.principal)
        return HttpReply(IncidentList([one.shown(visible) for one in found], len(found)), headers=NO_STORE)

    async def _metrics(self, _: HttpRequest) -> HttpReply:
        return HttpReply(report.metrics(self._gateway), headers=NO_STORE)

    async def _events(self, connection: SocketConnection) -> None:
        await serve(self._gateway, self._config, connection)


def _declare(method: str, path: str, handler: Handler, response: type, summary: str, *query: str) -> Endpoint:
    return Endpoint(method, path, handler, "caller", None, response, summary, ("health",), query=query)
