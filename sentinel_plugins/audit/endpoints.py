"""`GET /v1/audit` and `GET /v1/audit/{request_id}`."""

from __future__ import annotations

from sentinel_core.endpoints import ADMIN, NO_STORE, Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.audit.entry import TABLE
from sentinel_plugins.audit.shapes import AuditPage, ShownEntry, shown
from sentinel_plugins.audit.stage import Audit
from sentinel_plugins.recording.asked import limit
from sentinel_plugins.recording.moment import moment
from sentinel_plugins.recording.own_rows import caught_up
from sentinel_plugins.recording.reach import narrowed, reach

PATH = "/v1/audit"
FILTERS = ("model", "provider", "key", "user", "status", "error", "operation")
_ENDED = {"kind": "terminal"}


class Routes:
    """The handlers of one gateway. A record that the caller may not see is not there."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        many, one = "The caller's requests, newest first; an administrator's are everybody's", "One request"
        query = ("since", "until", *FILTERS, "tenant", "limit", "cursor")
        return (
            Endpoint("GET", PATH, self._list, "caller", None, AuditPage, many, ("audit",), query=query),
            Endpoint("GET", f"{PATH}/{{request_id}}", self._get, "caller", None, ShownEntry, one, ("audit",)),
        )

    async def _list(self, request: HttpRequest) -> HttpReply:
        wanted = narrowed(request, FILTERS)
        await caught_up(self._gateway, Audit)
        page = await self._gateway.records.query(
            TABLE,
            tenant=wanted.tenant,
            where={**wanted.where, **_ENDED},
            since=moment(request.query, "since"),
            until=moment(request.query, "until"),
            limit=limit(request),
            cursor=request.query.get("cursor"),
        )
        scores = _scores(request)
        data = [shown(record, scores=scores) for record in page.records]
        return HttpReply(AuditPage(data, page.cursor), headers=NO_STORE)

    async def _get(self, request: HttpRequest) -> HttpReply:
        """The latest of this id: clients choose ids, and may choose one twice."""
        visible = reach(request.principal)
        where = {**visible.where, **_ENDED, "request_id": request.path_params["request_id"]}
        await caught_up(self._gateway, Audit)
        page = await self._gateway.records.query(TABLE, tenant=visible.tenant, where=where, limit=1)
        if not page.records:
            raise Refusal("not_found", "There is no such request.")
        return HttpReply(shown(page.records[0], scores=_scores(request)), headers=NO_STORE)


def _scores(request: HttpRequest) -> bool:
    return request.principal is not None and ADMIN in request.principal.scopes
