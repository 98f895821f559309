"""`sentinel tenants …`."""

from __future__ import annotations

from time import time
from typing import Annotated

import typer

from sentinel_core.commands import Command
from sentinel_plugins.auth.admin import printing
from sentinel_plugins.auth.admin.desk import Desk, all_of, at_desk, required
from sentinel_plugins.auth.admin.options import Config, EnvFile, Json, LimitOptions, Models, Routes, limits, read
from sentinel_plugins.auth.admin.tenant_shapes import NewTenant, TenantChange, changed_tenant, shown_tenant

TenantId = Annotated[str, typer.Argument(help="The tenant's name.")]


def create_tenant(
    tenant: TenantId,
    model: Models = None,
    route: Routes = None,
    limit: LimitOptions = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: Json = False,
) -> int:
    """Make a tenant: what all of its keys may use together."""
    new = read({"id": tenant, "models": model, "routes": route, "limits": limits(limit)}, NewTenant)

    async def work(desk: Desk) -> int:
        made = new.tenant(time())
        await desk.tenants.add(made)
        printing.one(shown_tenant(made), f"{made.id} is made", json=json)
        desk.warn_of(new.limits)
        return 0

    return at_desk(work, config, env_file, creates=True)


def update_tenant(
    tenant: TenantId,
    model: Models = None,
    route: Routes = None,
    limit: LimitOptions = None,
    disabled: Annotated[bool | None, typer.Option("--disable/--enable", help="End or revive all of its keys.")] = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: Json = False,
) -> int:
    """Change a tenant: what is given replaces what was, what is not given stays."""
    given = {"models": model, "routes": route, "limits": limits(limit) if limit else None, "disabled": disabled}
    change = read({name: value for name, value in given.items() if value is not None}, TenantChange)

    async def work(desk: Desk) -> int:
        changed = await desk.tenants.change(tenant, lambda before: changed_tenant(before, change, time()))
        after = required(changed, f"tenant {tenant!r} in the record store")
        printing.one(shown_tenant(after), f"{after.id} is changed", json=json)
        desk.warn_of(change.limits)
        return 0

    return at_desk(work, config, env_file)


def list_tenants(config: Config = None, env_file: EnvFile = None, json: Json = False) -> int:
    """List tenants, those of the configuration first."""

    async def work(desk: Desk) -> int:
        found = [*desk.tenants.declared.values(), *await all_of(desk.rows, None)]
        printing.tenants([shown_tenant(tenant) for tenant in found], json=json)
        return 0

    return at_desk(work, config, env_file)


COMMANDS = (
    Command("tenants create", create_tenant),
    Command("tenants update", update_tenant),
    Command("tenants list", list_tenants),
)
