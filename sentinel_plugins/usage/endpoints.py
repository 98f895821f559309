"""`GET /v1/usage`."""

from __future__ import annotations

from sentinel_core.endpoints import NO_STORE, Endpoint, HttpReply, HttpRequest
from sentinel_core.gateway import Gateway
from sentinel_plugins.recording.own_rows import caught_up
from sentinel_plugins.recording.reach import narrowed
from sentinel_plugins.usage.stage import Usage
from sentinel_plugins.usage.summary import UsageSummary, asked, summary

FILTERS = ("model", "provider", "key")


class Routes:
    """The handlers of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        text = "What the caller's requests used and cost; of an administrator's, everybody's"
        query = ("group_by", "since", "until", *FILTERS, "tenant")
        return (Endpoint("GET", "/v1/usage", self._usage, "caller", None, UsageSummary, text, ("usage",), query=query),)

    async def _usage(self, request: HttpRequest) -> HttpReply:
        wanted = asked(request.query, narrowed(request, FILTERS))
        await caught_up(self._gateway, Usage)
        found = await summary(self._gateway.records, wanted)
        return HttpReply(found, headers=NO_STORE)
