"""`/admin/tenants`, for administrators."""

from __future__ import annotations

from typing import ClassVar

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_plugins.auth.admin import asked
from sentinel_plugins.auth.admin.resource import Resource
from sentinel_plugins.auth.admin.tenant_shapes import (
    NewTenant,
    ShownTenant,
    TenantChange,
    TenantPage,
    changed_tenant,
    shown_tenant,
)
from sentinel_plugins.recording.asked import limit


class TenantRoutes(Resource):
    """The handlers of one gateway."""

    noun: ClassVar[str] = "tenant"

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        declare = self.declare
        return (
            declare("GET", "", self._list, TenantPage, "Tenants", query=("limit", "cursor")),
            declare("POST", "", self._create, ShownTenant, "Make a tenant", NewTenant),
            declare("GET", "/{id}", self._get, ShownTenant, "One tenant"),
            declare("PATCH", "/{id}", self._update, ShownTenant, "Change or disable a tenant", TenantChange),
        )

    async def _list(self, request: HttpRequest) -> HttpReply:
        tenants = self.auth.tenants
        self.found(tenants.rows)
        found, cursor = await tenants.page(limit(request), request.query.get("cursor"))
        return self.reply(TenantPage([shown_tenant(tenant) for tenant in found], cursor))

    async def _create(self, request: HttpRequest) -> HttpReply:
        tenant = asked.body(request, NewTenant).tenant(self.now)
        await self.auth.tenants.add(tenant)
        return self.reply(shown_tenant(tenant), status=201)

    async def _get(self, request: HttpRequest) -> HttpReply:
        return self.reply(shown_tenant(self.found(await self.auth.tenants.find(request.path_params["id"]))))

    async def _update(self, request: HttpRequest) -> HttpReply:
        name, now = request.path_params["id"], self.now
        change = asked.body(request, TenantChange)
        changed = await self.auth.tenants.change(name, lambda found: changed_tenant(found, change, now))
        tenant = self.found(changed)
        await self.changed(name)
        return self.reply(shown_tenant(tenant))
