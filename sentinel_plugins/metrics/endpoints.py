"""`GET /metrics` and `GET /metrics/prometheus`."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from sentinel_core.endpoints import NO_STORE, Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.keys import Principal
from sentinel_core.services import USAGE_SUMS
from sentinel_plugins.metrics.config import MetricsConfig
from sentinel_plugins.metrics.exposition import OPENMETRICS, TEXT, Exposition, wanted
from sentinel_plugins.metrics.report import MetricsReport, report

HEADERS = {**NO_STORE, "vary": "accept, authorization, x-api-key"}
CREDENTIALS = ("x-api-key", "x-admin-key", "authorization")


class Routes:
    """The handlers of one gateway."""

    def __init__(self, gateway: Gateway, config: MetricsConfig) -> None:
        self._gateway = gateway
        self._exposition = Exposition(gateway)
        self._policy = config.policy
        self._token = config.token.reveal().encode() if config.token is not None else None

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        both, text = "What this process has counted: JSON, or text for Prometheus", "The same, always as text"
        tags = ("metrics",)
        return (
            Endpoint("GET", "/metrics", self._metrics, self._policy, None, MetricsReport, both, tags),
            Endpoint("GET", "/metrics/prometheus", self._prometheus, self._policy, None, None, text, tags),
        )

    async def _metrics(self, request: HttpRequest) -> HttpReply:
        known = await self._known(request)
        form = wanted(request.client.headers.get("accept", ""))
        return self._text(form) if form else HttpReply(report(self._gateway, await self._usage(known)), headers=HEADERS)

    async def _prometheus(self, request: HttpRequest) -> HttpReply:
        await self._known(request)
        return self._text(wanted(request.client.headers.get("accept", "")) or TEXT)

    def _text(self, form: str) -> HttpReply:
        body = self._exposition.openmetrics() if form == OPENMETRICS else self._exposition.text()
        return HttpReply(body, content_type=form, headers=HEADERS)

    async def _known(self, request: HttpRequest) -> Principal | None:
        """Who asks by a key of this gateway. Raises `Refusal` for a key that is none, and where neither a key nor the
        token is there that is asked for."""
        headers, known = request.client.headers, request.principal
        if self._token is not None and _bears(headers, self._token):
            return None
        if known is None and any(name in headers for name in CREDENTIALS):
            known = await self._gateway.authenticate(request.client)
        if known is not None and known.kind != "anonymous":
            return known
        if self._token is not None:
            raise Refusal("invalid_api_key")
        return None

    async def _usage(self, known: Principal | None) -> msgspec.Struct | UnsetType:
        """The ledger of whoever said by a key who they are (C-36). Where it does not answer, the counts still do."""
        sums = self._gateway.services.find(USAGE_SUMS)
        if sums is None or known is None:
            return UNSET
        try:
            return await sums.of(self._gateway, known)
        except Refusal:
            return UNSET


def _bears(headers: Mapping[str, str], token: bytes) -> bool:
    scheme, _, found = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(found.strip().encode(), token)
