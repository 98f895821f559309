"""`sentinel keys …`."""

from __future__ import annotations

from functools import partial
from time import time
from typing import Annotated

import typer

from sentinel_core.commands import Command
from sentinel_plugins.auth.admin import printing
from sentinel_plugins.auth.admin.desk import Desk, all_of, at_desk, required
from sentinel_plugins.auth.admin.key_shapes import MAX_LIFETIME_S, NewKey, shown_key
from sentinel_plugins.auth.admin.options import LimitOptions, Models, Routes, limits, read
from sentinel_plugins.auth.names import DEFAULT_TENANT
from sentinel_plugins.recording.options import AsJson, Config, EnvFile

KeyId = Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]
OfTenant = Annotated[str | None, typer.Option("--tenant", help="The tenant.")]
DAY_S = 86_400
MAX_DAYS = MAX_LIFETIME_S / DAY_S
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="`admin`, `keys` or `guard`; repeat it.")]


def _within_lifetime(days: float | None) -> float | None:
    if days is not None and not 0 < days <= MAX_DAYS:
        raise typer.BadParameter(f"write a number of days above 0, at most {MAX_DAYS:g}")
    return days


Days = Annotated[float | None, typer.Option("--expires-in-days", help="When it ends.", callback=_within_lifetime)]


def create_key(
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant.")] = DEFAULT_TENANT,
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
    user: Annotated[str | None, typer.Option("--user", help="On whose behalf it asks.")] = None,
    model: Models = None,
    route: Routes = None,
    scope: Scopes = None,
    limit: LimitOptions = None,
    expires_in_days: Days = None,
    config: Config = None,
    env_file: EnvFile = None,
    json: AsJson = False,
) -> int:
    """Make a key. Its text is printed this once, and kept nowhere."""
    fields = {
        "tenant": tenant,
        "name": name,
        "user": user,
        "scopes": scope or [],
        "models": model,
        "routes": route,
        "limits": limits(limit),
        "expires_in_s": expires_in_days * DAY_S if expires_in_days is not None else None,
    }
    new = read(fields, NewKey)

    async def work(desk: Desk) -> int:
        owner = await desk.tenants.require(tenant)
        key, text = await desk.keys.create(partial(new.key, owner.id, time()))
        printing.one(shown_key(key, time(), text), text, json=json)
        desk.warn_of(new.limits, new.scopes)
        return 0

    return at_desk(work, config, env_file, creates=True)


def list_keys(tenant: OfTenant = None, config: Config = None, env_file: EnvFile = None, json: AsJson = False) -> int:
    """List keys, newest first."""

    async def work(desk: Desk) -> int:
        found, now = await all_of(partial(desk.keys.rows.page, tenant)), time()
        printing.keys([shown_key(key, now) for key in found], json=json)
        return 0

    return at_desk(work, config, env_file)


def rotate_key(key_id: KeyId, config: Config = None, env_file: EnvFile = None, json: AsJson = False) -> int:
    """Give a key another text, which is printed this once. The old one ends at once."""

    async def work(desk: Desk) -> int:
        key, text = required(await desk.keys.rotate(key_id, None), f"key {key_id!r}")
        printing.one(shown_key(key, time(), text), text, json=json)
        return 0

    return at_desk(work, config, env_file)


def revoke_key(key_id: KeyId, config: Config = None, env_file: EnvFile = None, json: AsJson = False) -> int:
    """Revoke a key for good."""

    async def work(desk: Desk) -> int:
        key = required(await desk.keys.revoke(key_id, None), f"key {key_id!r}")
        printing.one(shown_key(key, time()), f"{key.id} is revoked", json=json)
        return 0

    return at_desk(work, config, env_file)


COMMANDS = (
    Command("keys create", create_key),
    Command("keys list", list_keys),
    Command("keys rotate", rotate_key),
    Command("keys revoke", revoke_key),
)
