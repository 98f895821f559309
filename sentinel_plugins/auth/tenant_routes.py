"""`/admin/tenants`, for administrators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.auth import asked
from sentinel_plugins.auth.revocation import auth_of, tell
from sentinel_plugins.auth.rows import Rows
from sentinel_plugins.auth.shapes import NewTenant, ShownTenant, TenantChange, TenantPage, changed_tenant, shown_tenant
from sentinel_plugins.auth.tenants import Tenant
from sentinel_plugins.recording.asked import limit

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpReply]]

PATH = "/admin/tenants"
NO_STORE = {"cache-control": "no-store"}


class TenantRoutes:
    """The handlers of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        one = f"{PATH}/{{id}}"
        return (
            _declare("GET", PATH, self._list, TenantPage, "Tenants"),
            _declare("POST", PATH, self._create, ShownTenant, "Make a tenant", NewTenant),
            _declare("GET", one, self._get, ShownTenant, "One tenant"),
            _declare("PATCH", one, self._update, ShownTenant, "Change or disable a tenant", TenantChange),
        )

    async def _list(self, request: HttpRequest) -> HttpReply:
        cursor = request.query.get("cursor")
        declared = list(auth_of(self._gateway).tenants.declared.values()) if cursor is None else []
        stored, cursor = await self._rows.page(None, limit(request), cursor)
        page = TenantPage([shown_tenant(tenant) for tenant in (*declared, *stored)], cursor)
        return HttpReply(page, headers=NO_STORE)

    async def _create(self, request: HttpRequest) -> HttpReply:
        new = asked.body(request, NewTenant)
        self._check_declared(new.id)
        fields = msgspec.structs.asdict(new)
        tenant = Tenant(**fields, tenant=new.id, created_at=self._gateway.services.clock.time())
        if not await self._rows.add(tenant):
            raise Refusal("invalid_parameter", "There is a tenant of this name.", param="id")
        return HttpReply(shown_tenant(tenant), status=201, headers=NO_STORE)

    async def _get(self, request: HttpRequest) -> HttpReply:
        return _shown(await auth_of(self._gateway).tenants.find(request.path_params["id"]))

    async def _update(self, request: HttpRequest) -> HttpReply:
        name = request.path_params["id"]
        change = asked.body(request, TenantChange)
        self._check_declared(name)
        now = self._gateway.services.clock.time()
        tenant = await self._rows.change(name, name, lambda found: changed_tenant(found, change, now))
        if tenant is not None:
            auth_of(self._gateway).callers.cache.forget(name)
            await tell(self._gateway.state, name)
        return _shown(tenant)

    def _check_declared(self, name: str) -> None:
        if name in auth_of(self._gateway).tenants.declared:
            raise Refusal("invalid_parameter", "This tenant stands in the configuration: change it there.", param="id")

    @property
    def _rows(self) -> Rows[Tenant]:
        rows = auth_of(self._gateway).tenants.rows
        if rows is None:
            raise _missing()
        return rows


def _shown(tenant: Tenant | None) -> HttpReply:
    if tenant is None:
        raise _missing()
    return HttpReply(shown_tenant(tenant), headers=NO_STORE)


def _missing() -> Refusal:
    return Refusal("not_found", "There is no such tenant.")


def _declare(
    method: str,
    path: str,
    handler: Handler,
    response: type[msgspec.Struct],
    summary: str,
    request: type[msgspec.Struct] | None = None,
) -> Endpoint:
    return Endpoint(method, path, handler, "admin", request, response, summary, ("tenants",))
