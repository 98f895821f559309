"""What the routes and the commands for keys and tenants take and show. Times are seconds since the epoch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sentinel_core.limits import Limits
from sentinel_plugins.auth.names import Pattern, Scope, TenantName
from sentinel_plugins.auth.tenants import NO_LIMITS, Tenant
from sentinel_plugins.auth.virtual_keys import VirtualKey

Label = Annotated[str, Meta(max_length=256)]
Lifetime = Annotated[float, Meta(gt=0)]
Patterns = tuple[Pattern, ...] | None


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. Without `tenant` it is the caller's own; without `expires_in_s` it does not expire."""

    tenant: TenantName | None = None
    name: Label = ""
    user: Label | None = None
    scopes: tuple[Scope, ...] = ()
    models: Patterns = None
    routes: Patterns = None
    limits: Limits = NO_LIMITS
    expires_in_s: Lifetime | None = None

    def key(self, tenant: str, now: float, id_: str, digest: str, hint: str) -> VirtualKey:
        """The key, as it is kept."""
        return VirtualKey(
            id=id_,
            tenant=tenant,
            created_at=now,
            digest=digest,
            hint=hint,
            name=self.name,
            user=self.user or None,
            scopes=self.scopes,
            models=self.models,
            routes=self.routes,
            limits=self.limits,
            expires_at=now + self.expires_in_s if self.expires_in_s is not None else None,
        )


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a key becomes otherwise; what is left out stays."""

    name: Label | UnsetType = UNSET
    scopes: tuple[Scope, ...] | UnsetType = UNSET
    models: Patterns | UnsetType = UNSET
    routes: Patterns | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    expires_at: float | UnsetType | None = UNSET


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without what would let anybody use it. `hint` is how its text ends. `key` is the text itself, shown when it
    is made and never again."""

    id: str
    tenant: str
    name: str
    status: Literal["active", "expired", "revoked"]
    hint: str
    created_at: float
    user: str | None
    scopes: tuple[str, ...]
    models: tuple[str, ...] | None
    routes: tuple[str, ...] | None
    limits: Limits
    expires_at: float | None
    revoked_at: float | None
    rotated_at: float | None
    key: str | UnsetType = UNSET


class NewTenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant to make."""

    id: TenantName
    models: Patterns = None
    routes: Patterns = None
    limits: Limits = NO_LIMITS
    preferences: dict[str, Any] = {}  # JSON values


class TenantChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a tenant becomes otherwise; what is left out stays. No key of a disabled tenant is valid."""

    models: Patterns | UnsetType = UNSET
    routes: Patterns | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    preferences: dict[str, Any] | UnsetType = UNSET  # JSON values
    disabled: bool | UnsetType = UNSET


class ShownTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant. One that is `declared` stands in the configuration and is changed there."""

    id: str
    created_at: float
    models: tuple[str, ...] | None
    routes: tuple[str, ...] | None
    limits: Limits
    preferences: dict[str, Any]  # JSON values
    disabled_at: float | None
    declared: bool


class KeyPage(msgspec.Struct, frozen=True):
    """Keys, newest first. `cursor` goes on; null at the end."""

    data: list[ShownKey]
    cursor: str | None


class TenantPage(msgspec.Struct, frozen=True):
    """Tenants: on the first page those of the configuration first, then stored ones, newest first."""

    data: list[ShownTenant]
    cursor: str | None


def shown_key(key: VirtualKey, now: float, text: str | UnsetType = UNSET) -> ShownKey:
    """A key as anybody may see it."""
    fields = msgspec.structs.asdict(key)
    del fields["digest"]
    return ShownKey(**fields, status=key.status(now), key=text)


def shown_tenant(tenant: Tenant) -> ShownTenant:
    """A tenant as administrators see it."""
    fields = msgspec.structs.asdict(tenant)
    del fields["tenant"]
    return ShownTenant(**fields)


def changed_key(key: VirtualKey, change: KeyChange) -> VirtualKey:
    """The key with what the change names."""
    return msgspec.structs.replace(key, **_named(change))


def changed_tenant(tenant: Tenant, change: TenantChange, now: float) -> Tenant:
    """The tenant with what the change names."""
    fields = _named(change)
    if "disabled" in fields:
        fields["disabled_at"] = (tenant.disabled_at or now) if fields.pop("disabled") else None
    return msgspec.structs.replace(tenant, **fields)


def _named(change: msgspec.Struct) -> dict[str, Any]:  # fields of any type
    return {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
