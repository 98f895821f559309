"""A provider of any API at the scripted upstream, alone or behind a whole gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple, cast

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.provider import Provider
from sentinel_core.registry import Registry
from sentinel_core.services import HttpPools, ServiceFactory, Services
from sentinel_plugins.http.pools import AiohttpPools
from tests.upstream.apis import Spoken

KEY = "sk-upstream-canary"
POOLS = AiohttpPools()
"""Shared: each set of pools loads the system's authorities, which takes longer than most of these tests."""


class SharedPools:
    """The service `http` of every gateway here."""

    @hookimpl
    def sentinel_services(self) -> Mapping[str, ServiceFactory]:
        return {"http": lambda: POOLS}


REGISTRY = Registry()
REGISTRY.register(SharedPools())


class World(NamedTuple):
    """All that a provider over HTTP uses of what it is given."""

    http: HttpPools


def table_of(spoken: Spoken, root: str, **fields: TomlValue) -> TomlTable:
    """The provider's table. `root` is the upstream's address."""
    return {"kind": spoken.api.name, "base_url": root + spoken.base, "api_key": Secret(KEY, "TEST"), **fields}


@asynccontextmanager
async def provider_at(
    spoken: Spoken, root: str, *, pools: HttpPools = POOLS, **fields: TomlValue
) -> AsyncIterator[Provider]:
    """An open provider of this API. `fields` are those of its configuration."""
    REGISTRY.load(spoken.api.name, "provider")
    kind = REGISTRY.providers[spoken.api.name]
    table = settings_from({"providers": {"up": table_of(spoken, root, **fields)}}).providers["up"]
    config, problems = table.convert(kind.Config)
    assert config is not None, problems
    async with kind.open(config, cast("Services", World(pools))) as provider:
        yield provider


def gateway_with(
    tables: Mapping[str, Mapping[str, TomlValue]],
    models: Mapping[str, Iterable[str]],
    **stages: Mapping[str, TomlValue],
) -> Gateway:
    """A gateway that is not open yet: these providers, models that each name providers in order, and stages.

    At every provider the model is called `m`.
    """
    settings = settings_from(
        {
            "providers": tables,
            "models": [
                {"name": name, "targets": [{"provider": provider, "model": "m"} for provider in providers]}
                for name, providers in models.items()
            ],
            "stages": stages,
        }
    )
    return Gateway(settings, registry=REGISTRY)
