"""`sentinel tenants …`."""

from __future__ import annotations

from time import time
from typing import Annotated

import typer
from msgspec.structs import replace

from sentinel_core.commands import Command
from sentinel_plugins.auth.admin import printing
from sentinel_plugins.auth.admin.desk import Desk, all_of, at_desk, required
from sentinel_plugins.auth.admin.options import LimitOptions, Models, Routes, limits, read
from sentinel_plugins.auth.admin.tenant_shapes import NewTenant, TenantChange, changed_tenant, shown_tenant
from sentinel_plugins.auth.tenants import Tenant
from sentinel_plugins.recording.options import AsJson, Config, EnvFile

TenantId = Annotated[str, typer.Argument(help="The tenant's name.")]
ChangedLimits = Annotated[
    list[str] | None,
    typer.Option("--limit", help="A limit, such as requests_per_minute=60, or =null for none; repeat it."),
]


def create_tenant(
    tenant: TenantId,
    model: Models = None,
    route: Routes = None,
    limit: LimitOptions = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
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
    limit: ChangedLimits = None,
    disabled: Annotated[bool | None, typer.Option("--disable/--enable", help="End or revive all of its keys.")] = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
) -> int:
    """Change a tenant: what is given replaces what was, what is not given stays, each limit for itself."""
    given, of_limits = {"models": model, "routes": route, "disabled": disabled}, limits(limit)
    change = read({name: value for name, value in given.items() if value is not None}, TenantChange)

    def changed(before: Tenant) -> Tenant:
        bounds = replace(before.limits, **of_limits)
        return replace(changed_tenant(before, change, time()), limits=bounds)

    async def work(desk: Desk) -> int:
        after = required(await desk.tenants.change(tenant, changed), f"tenant {tenant!r} in the record store")
        printing.one(shown_tenant(after), f"{after.id} is changed", json=json)
        if of_limits:
            desk.warn_of(after.limits)
        return 0

    return at_desk(work, config, env_file)


def list_tenants(config: Config = None, env_file: EnvFile = None, json: AsJson = False) -> int:
    """List tenants, those of the configuration first."""

    async def work(desk: Desk) -> int:
        found = await all_of(desk.tenants.page)
        printing.tenants([shown_tenant(tenant) for tenant in found], json=json)
        return 0

    return at_desk(work, config, env_file)


COMMANDS = (
    Command("tenants create", create_tenant),
    Command("tenants update", update_tenant),
    Command("tenants list", list_tenants),
)
