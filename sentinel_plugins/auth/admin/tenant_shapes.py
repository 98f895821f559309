"""What the routes and the commands for tenants take and show. Times are seconds since the epoch."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from sentinel_core.json_types import JsonObject
from sentinel_core.limits import Limits
from sentinel_plugins.auth.admin.change import named
from sentinel_plugins.auth.names import Allowed, TenantName
from sentinel_plugins.auth.tenants import NO_LIMITS, Tenant


class NewTenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant to make."""

    id: TenantName
    models: Allowed = None
    routes: Allowed = None
    limits: Limits = NO_LIMITS
    preferences: JsonObject = {}

    def tenant(self, now: float) -> Tenant:
        """The tenant, as it is kept."""
        return Tenant(**msgspec.structs.asdict(self), tenant=self.id, created_at=now)


class TenantChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a tenant becomes otherwise; what is left out stays. No key of a disabled tenant is valid."""

    models: Allowed | UnsetType = UNSET
    routes: Allowed | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    preferences: JsonObject | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class ShownTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant. One that is `declared` stands in the configuration and is changed there."""

    id: str
    created_at: float
    models: tuple[str, ...] | None
    routes: tuple[str, ...] | None
    limits: Limits
    preferences: JsonObject
    disabled_at: float | None
    declared: bool


class TenantPage(msgspec.Struct, frozen=True):
    """Tenants: those of the configuration first, then stored ones, newest first, but for those that the former hide."""

    data: list[ShownTenant]
    cursor: str | None


def shown_tenant(tenant: Tenant) -> ShownTenant:
    """A tenant as administrators see it."""
    fields = msgspec.structs.asdict(tenant)
    del fields["tenant"]
    return ShownTenant(**fields)


def changed_tenant(tenant: Tenant, change: TenantChange, now: float) -> Tenant:
    """The tenant with what the change names."""
    fields = named(change)
    if "disabled" in fields:
        fields["disabled_at"] = (tenant.disabled_at or now) if fields.pop("disabled") else None
    return msgspec.structs.replace(tenant, **fields)
