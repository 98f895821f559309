"""`sentinel keys …` and `sentinel tenants …`: on the configured record store, without a gateway that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import time
from typing import Annotated, NamedTuple, TypeVar

import msgspec
import typer

from sentinel_core.commands import Command
from sentinel_core.errors import ConfigError, ConfigProblem, Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.outside import SystemClock
from sentinel_core.limits import Limits
from sentinel_plugins.auth import printing
from sentinel_plugins.auth.config import AuthConfig
from sentinel_plugins.auth.digest import Digests
from sentinel_plugins.auth.rows import Kept, Rows
from sentinel_plugins.auth.shapes import (
    NewKey,
    NewTenant,
    TenantChange,
    changed_tenant,
    shown_key,
    shown_tenant,
)
from sentinel_plugins.auth.tenants import Tenant, Tenants
from sentinel_plugins.auth.virtual_keys import VirtualKeys
from sentinel_plugins.recording.offline import records_of

T = TypeVar("T")
K = TypeVar("K", bound=Kept)

FAILURE = 1
PAGE = 200

Config = Annotated[Path | None, typer.Option("--config", "-c", help="Configuration file.")]
EnvFile = Annotated[Path | None, typer.Option("--env-file", help="A .env file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]
TenantId = Annotated[str, typer.Argument(help="The tenant's name.")]
OfTenant = Annotated[str | None, typer.Option("--tenant", help="The tenant.")]
Models = Annotated[list[str] | None, typer.Option("--model", help="A model that is allowed; repeat it. `*` is any.")]
Routes = Annotated[list[str] | None, typer.Option("--route", help="A path that is allowed; repeat it.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="`admin` or `keys`; repeat it.")]
LimitOptions = Annotated[
    list[str] | None, typer.Option("--limit", help="A limit, such as requests_per_minute=60; repeat it.")
]


class Desk(NamedTuple):
    """What the commands work on."""

    keys: VirtualKeys
    tenants: Tenants
    rows: Rows[Tenant]


def create_key(
    tenant: OfTenant = None,
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
    user: Annotated[str | None, typer.Option("--user", help="On whose behalf it asks.")] = None,
    model: Models = None,
    route: Routes = None,
    scope: Scopes = None,
    limit: LimitOptions = None,
    expires_in_days: Annotated[float | None, typer.Option("--expires-in-days", help="When it ends.")] = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: Json = False,
) -> int:
    """Make a key. Its text is printed this once, and kept nowhere."""
    fields = {
        "tenant": tenant or "default",
        "name": name,
        "user": user,
        "scopes": scope or [],
        "models": model,
        "routes": route,
        "limits": _limits(limit),
        "expires_in_s": expires_in_days * 86_400 if expires_in_days is not None else None,
    }
    new = _read(fields, NewKey)

    async def work(desk: Desk) -> int:
        owner = await desk.tenants.require(new.tenant or "default")
        key, text = await desk.keys.create(partial(new.key, owner.id, time()))
        printing.one(shown_key(key, time(), text), text, json=json)
        return 0

    return _run(work, config, env_file)


def list_keys(tenant: OfTenant = None, config: Config = None, env_file: EnvFile = None, json: Json = False) -> int:
    """List keys, newest first."""

    async def work(desk: Desk) -> int:
        found, now = await _all(desk.keys.rows, tenant), time()
        printing.keys([shown_key(key, now) for key in found], json=json)
        return 0

    return _run(work, config, env_file)


def rotate_key(key_id: KeyId, config: Config = None, env_file: EnvFile = None, json: Json = False) -> int:
    """Give a key another text, which is printed this once. The old one ends at once."""

    async def work(desk: Desk) -> int:
        rotated = await desk.keys.rotate(key_id, None)
        if rotated is None:
            raise Refusal("not_found", f"There is no key {key_id!r}.")
        key, text = rotated
        printing.one(shown_key(key, time(), text), text, json=json)
        return 0

    return _run(work, config, env_file)


def revoke_key(key_id: KeyId, config: Config = None, env_file: EnvFile = None, json: Json = False) -> int:
    """Revoke a key for good."""

    async def work(desk: Desk) -> int:
        key = await desk.keys.revoke(key_id, None)
        if key is None:
            raise Refusal("not_found", f"There is no key {key_id!r}.")
        printing.one(shown_key(key, time()), f"{key.id} is revoked", json=json)
        return 0

    return _run(work, config, env_file)


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
    new = _read({"id": tenant, "models": model, "routes": route, "limits": _limits(limit)}, NewTenant)

    async def work(desk: Desk) -> int:
        made = Tenant(**msgspec.structs.asdict(new), tenant=new.id, created_at=time())
        if new.id in desk.tenants.declared or not await desk.rows.add(made):
            raise Refusal("invalid_parameter", f"There is a tenant {new.id!r} already.")
        printing.one(shown_tenant(made), f"{made.id} is made", json=json)
        return 0

    return _run(work, config, env_file)


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
    given = {"models": model, "routes": route, "limits": _limits(limit) if limit else None, "disabled": disabled}
    change = _read({name: value for name, value in given.items() if value is not None}, TenantChange)

    async def work(desk: Desk) -> int:
        after = await desk.rows.change(tenant, tenant, lambda before: changed_tenant(before, change, time()))
        if after is None:
            raise Refusal("not_found", f"There is no tenant {tenant!r} in the record store.")
        printing.one(shown_tenant(after), f"{after.id} is changed", json=json)
        return 0

    return _run(work, config, env_file)


def list_tenants(config: Config = None, env_file: EnvFile = None, json: Json = False) -> int:
    """List tenants, those of the configuration first."""

    async def work(desk: Desk) -> int:
        found = [*desk.tenants.declared.values(), *await _all(desk.rows, None)]
        printing.tenants([shown_tenant(tenant) for tenant in found], json=json)
        return 0

    return _run(work, config, env_file)


COMMANDS = (
    Command("keys create", create_key),
    Command("keys list", list_keys),
    Command("keys rotate", rotate_key),
    Command("keys revoke", revoke_key),
    Command("tenants create", create_tenant),
    Command("tenants update", update_tenant),
    Command("tenants list", list_tenants),
)


def _run(work: Callable[[Desk], Awaitable[int]], config: Path | None, env_file: Path | None) -> int:
    gateway = Gateway.load(config, env_file=env_file)

    async def opened() -> int:
        async with _desk(gateway) as desk:
            return await work(desk)

    try:
        return asyncio.run(opened())
    except Refusal as error:
        typer.echo(f"sentinel: {error.message}", err=True)
        return FAILURE


@asynccontextmanager
async def _desk(gateway: Gateway) -> AsyncIterator[Desk]:
    """The record store of the configuration, open. Raises `ConfigError` where it keeps no keys."""
    plans = {plan.name: plan.config for plan in gateway.blueprint.chain.stages}
    config = plans.get("auth")
    if not isinstance(config, AuthConfig) or config.pepper is None:
        problem = ConfigProblem("no keys are kept", table="stages.auth", key="pepper", expected="a secret")
        raise ConfigError((problem,))
    async with records_of(gateway) as records:
        tenants = Tenants(config.tenants, records)
        assert tenants.rows is not None  # records were given
        yield Desk(VirtualKeys(records, Digests(config.pepper), tenants, SystemClock()), tenants, tenants.rows)


async def _all(rows: Rows[K], tenant: str | None) -> list[K]:
    found, cursor = await rows.page(tenant, PAGE, None)
    while cursor is not None:
        more, cursor = await rows.page(tenant, PAGE, cursor)
        found += more
    return found


def _limits(options: list[str] | None) -> dict[str, str]:
    """`name=value` as a table. Raises a usage error."""
    pairs = [option.partition("=") for option in options or ()]
    known = {field.name for field in msgspec.structs.fields(Limits)} - {"windows"}
    for name, _, _ in pairs:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is not a limit; one of: {', '.join(sorted(known))}")
    return {name: value for name, _, value in pairs}


def _read(fields: Mapping[str, object], kind: type[T]) -> T:
    """The options as the route's own shape. Raises a usage error."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None
