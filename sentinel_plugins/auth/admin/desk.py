"""What commands for keys and tenants work on: the configured record store, without a gateway that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import typer

from sentinel_core.errors import ConfigError, ConfigProblem, Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.outside import SystemClock
from sentinel_core.limits import Limits
from sentinel_plugins.auth.config import AuthConfig
from sentinel_plugins.auth.counting import UNCOUNTED, counted
from sentinel_plugins.auth.digest import Digests
from sentinel_plugins.auth.tenants import NO_LIMITS, Tenants
from sentinel_plugins.auth.virtual_keys import VirtualKeys
from sentinel_plugins.recording.offline import records_of

T = TypeVar("T")

PAGE = 200


class Desk(NamedTuple):
    """Keys and tenants; whether some stage counts their limits, and the scopes that some route asks for."""

    keys: VirtualKeys
    tenants: Tenants
    counts: bool
    scopes: frozenset[str]

    def warn_of(self, limits: Limits, scopes: Iterable[str] = ()) -> None:
        """Say on standard error that these limits bind nobody, and these scopes open nothing, where that is so."""
        if limits != NO_LIMITS and not self.counts:
            typer.echo(f"warning: {UNCOUNTED}", err=True)
        for scope in scopes:
            if scope not in self.scopes:
                known = ", ".join(sorted(self.scopes))
                typer.echo(f"warning: no route asks for the scope {scope!r}, but for: {known}", err=True)


def at_desk(
    work: Callable[[Desk], Awaitable[int]], config: Path | None, env_file: Path | None, *, creates: bool = False
) -> int:
    """Do the work; the exit code. Raises `ConfigError`, and `Refusal` as the store does.

    Only work that `creates` something makes a store where there is none: elsewhere an empty one would be an answer.
    """
    gateway = Gateway.load(config, env_file=env_file)

    async def opened() -> int:
        async with _desk(gateway, made=creates) as desk:
            return await work(desk)

    return asyncio.run(opened())


@asynccontextmanager
async def _desk(gateway: Gateway, *, made: bool) -> AsyncIterator[Desk]:
    """The record store of the configuration, open. Raises `ConfigError` where it keeps no keys."""
    plans = {plan.name: plan.config for plan in gateway.blueprint.chain.stages}
    config = plans.get("auth")
    if not isinstance(config, AuthConfig) or config.pepper is None:
        message = "is not set, and without it no keys or tenants are made at run time"
        expected = 'pepper = { env = "NAME" }, or the variable SENTINEL_KEY_PEPPER'
        raise ConfigError((ConfigProblem(message, table="stages.auth", key="pepper", expected=expected),))
    async with records_of(gateway, made=made) as records:
        tenants = Tenants(config, records)
        keys = VirtualKeys(records, Digests(config.pepper), tenants, SystemClock())
        counts = counted(plan.kind for plan in gateway.blueprint.chain.stages)
        yield Desk(keys, tenants, counts, frozenset(route.scope for route in gateway.endpoints))


async def all_of(page: Callable[[int, str | None], Awaitable[tuple[list[T], str | None]]]) -> list[T]:
    """What is on all pages."""
    found, cursor = await page(PAGE, None)
    while cursor is not None:
        more, cursor = await page(PAGE, cursor)
        found += more
    return found


def required(row: T | None, named: str) -> T:
    """The row. Raises `Refusal` (not_found)."""
    if row is None:
        raise Refusal("not_found", f"There is no {named}.")
    return row
