"""Tenants: those of the configuration, and those that are made at run time and kept in the record store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject
from sentinel_core.keys import Principal, Subject
from sentinel_core.limits import Limits
from sentinel_core.permission import Patterns, both
from sentinel_core.records import RecordStore
from sentinel_plugins.auth.config import AuthConfig
from sentinel_plugins.auth.names import ANONYMOUS, DEFAULT_TENANT, Allowed, TenantName
from sentinel_plugins.auth.rows import Rows

NO_LIMITS = Limits()
_WITHIN_DECLARED = re.compile(r":[0-9]{1,9}")
"""A cursor behind so many of the configuration's; a store's cursors have no colon."""


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant. Times are seconds since the epoch; `declared` says that it stands in the configuration."""

    id: TenantName
    tenant: TenantName
    created_at: float = 0.0
    models: Allowed = None
    routes: Allowed = None
    limits: Limits = NO_LIMITS
    preferences: JsonObject = {}
    disabled_at: float | None = None
    declared: bool = False


class Tenants:
    """Both kinds, by name. A tenant of the configuration hides a stored one of the same name.

    Those to whom keys of the configuration belong are not stored: such keys ask no store, so what it says of their
    tenant would not bind them. `records` is None where there are no stored ones.
    """

    def __init__(self, config: AuthConfig, records: RecordStore | None) -> None:
        self.declared = {
            name: Tenant(id=name, tenant=name, declared=True, **msgspec.structs.asdict(table))
            for name, table in config.tenants.items()
        }
        self._fixed = {*self.declared, *config.owners}
        self._ttl_s = config.cache_ttl_s
        self.rows = Rows(records, "auth_tenants", Tenant) if records is not None else None

    async def find(self, name: str) -> Tenant | None:
        """The tenant, if it is known. Raises `Refusal` where that cannot be told."""
        found = self.declared.get(name)
        if found is None and self.rows is not None:
            found = await self.rows.get(name, name)
        return DEFAULT if found is None and name == DEFAULT_TENANT else found

    def ttl_s(self, tenant: Tenant) -> float:
        """For how many seconds it may be believed that it is as it was found."""
        return float("inf") if tenant.declared or self.rows is None else self._ttl_s

    async def page(self, limit: int, cursor: str | None) -> tuple[list[Tenant], str | None]:
        """At most `limit` tenants, those of the configuration first, and where to go on. Stored ones that are hidden
        bind nobody and are left out."""
        found: list[Tenant] = []
        if cursor is None or _WITHIN_DECLARED.fullmatch(cursor):
            start = int(cursor[1:]) if cursor is not None else 0
            found = list(self.declared.values())[start : start + limit]
            if len(found) == limit:
                return found, f":{start + limit}"
            cursor = None
        if self.rows is None:
            return found, None
        stored, cursor = await self.rows.page(None, limit - len(found), cursor)
        return [*found, *(tenant for tenant in stored if tenant.id not in self.declared)], cursor

    async def require(self, name: str) -> Tenant:
        """The tenant. Raises `Refusal`: invalid_parameter for one that is unknown."""
        tenant = await self.find(name)
        if tenant is None:
            raise Refusal("invalid_parameter", f"There is no tenant {name!r}.", param="tenant")
        return tenant

    async def add(self, tenant: Tenant) -> None:
        """Keep a new tenant. Raises `Refusal`: invalid_parameter where there is one of this name."""
        self._check_free(tenant.id)
        if self.rows is None or tenant.id == ANONYMOUS or not await self.rows.add(tenant):
            raise Refusal("invalid_parameter", f"There is a tenant {tenant.id!r} already.", param="id")

    async def change(self, name: str, change: Callable[[Tenant], Tenant]) -> Tenant | None:
        """Change a stored tenant; None where there is none. Raises `Refusal`: invalid_parameter for one of the
        configuration."""
        self._check_free(name)
        return await self.rows.change(name, name, change) if self.rows is not None else None

    def _check_free(self, name: str) -> None:
        if name in self._fixed:
            message = f"The tenant {name!r}, or a key of it, is in the configuration: change it there."
            raise Refusal("invalid_parameter", message, param="id")


DEFAULT = Tenant(id=DEFAULT_TENANT, tenant=DEFAULT_TENANT)


def principal_of(
    tenant: Tenant,
    id_: str,
    *,
    user: str | None = None,
    scopes: tuple[str, ...] = (),
    models: Patterns = None,
    routes: Patterns = None,
    limits: Mapping[Subject, Limits],
) -> Principal:
    """A principal of this tenant: it may what both it and its tenant may, within the limits of each."""
    if not id_:
        raise ValueError("a principal has an id")
    bounds: dict[Subject, Limits] = {"tenant": tenant.limits, **limits}
    return Principal(
        tenant=tenant.id,
        id=id_,
        kind="key" if "key" in limits else "user",
        user=user,
        scopes=frozenset(scopes),
        models=both(tenant.models, models),
        routes=both(tenant.routes, routes),
        limits={subject: bound for subject, bound in bounds.items() if bound != NO_LIMITS},
        preferences=tenant.preferences,
    )
