"""What the commands print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import typer

from sentinel_core.printing import as_json, table
from sentinel_plugins.auth.admin.key_shapes import LAST, ShownKey
from sentinel_plugins.auth.admin.tenant_shapes import ShownTenant

_KEYS = ("ID", "TENANT", "NAME", "STATUS", "ENDS WITH", "CREATED", "EXPIRES", "SCOPES", "MODELS")
_TENANTS = ("TENANT", "STATUS", "FROM", "MODELS", "ROUTES", "LIMITS")


def one(value: msgspec.Struct, text: str, *, json: bool) -> None:
    """One row as JSON, or the one thing to know of it."""
    typer.echo(as_json(value) if json else text)


def keys(found: Sequence[ShownKey], *, json: bool) -> None:
    """Keys as JSON or as a table."""
    typer.echo(as_json(found) if json else table(_KEYS, map(_key, found)))


def tenants(found: Sequence[ShownTenant], *, json: bool) -> None:
    """Tenants as JSON or as a table."""
    typer.echo(as_json(found) if json else table(_TENANTS, map(_tenant, found)))


def _key(key: ShownKey) -> tuple[str, ...]:
    times = (_day(key.created_at), _day(key.expires_at))
    return (key.id, key.tenant, key.name, key.status, key.hint, *times, " ".join(key.scopes), _patterns(key.models))


def _tenant(tenant: ShownTenant) -> tuple[str, ...]:
    limits = msgspec.to_builtins(tenant.limits)
    bounds = " ".join(f"{name}={value}" for name, value in limits.items() if value not in (None, ()))
    return (
        tenant.id,
        "active" if tenant.disabled_at is None else "disabled",
        "configuration" if tenant.declared else "record store",
        _patterns(tenant.models),
        _patterns(tenant.routes),
        bounds,
    )


def _patterns(patterns: tuple[str, ...] | None) -> str:
    return "all" if patterns is None else " ".join(patterns) or "none"


def _day(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(min(max(at, 0.0), LAST), UTC).strftime("%Y-%m-%d %H:%M")
