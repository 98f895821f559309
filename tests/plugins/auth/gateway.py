"""A gateway with keys, served, and its routes as they are declared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlTable, TomlValue
from sentinel_core.registry import Registry
from sentinel_plugins.auth.admin.key_shapes import NewKey
from sentinel_plugins.auth.revocation import auth_of
from sentinel_plugins.auth.virtual_keys import VirtualKey
from sentinel_server.app import asgi
from tests.plugins.auth.callers import ADMIN_KEY, PEPPER, STATIC, secret
from tests.server.gateway_fixture import encoded
from tests.server.serving import RUNNERS, Served, serving
from tests.server.wire import Answer, request

MODELS = ("gpt-4o", "gpt-4o-mini", "o3")


def tables(**auth: TomlValue) -> TomlTable:
    """Echo behind keys; `auth` adds to the table of the stage."""
    table = {"api_key": secret(STATIC), "admin_key": secret(ADMIN_KEY), "pepper": secret(PEPPER), **auth}
    return {
        "providers": {"echo": {"kind": "echo", "models": list(MODELS)}},
        "stages": {"auth": table, "routing": {}, "health": {}},
    }


class House(NamedTuple):
    """A gateway that is open and served."""

    gateway: Gateway
    served: Served

    async def ask(self, target: str, key: str | None = None, method: str = "GET", **fields: JsonValue) -> Answer:
        """One request with a key in `X-API-Key`, on a connection of its own."""
        headers = (f"x-api-key: {key}",) if key is not None else ()
        async with self.served.connect() as wire:
            body = encoded(fields) if fields or method in ("POST", "PATCH") else b""
            return await wire.ask(request(target, method=method, headers=headers, body=body))

    async def key(self, tenant: str = "default", **fields: Any) -> tuple[VirtualKey, str]:  # of a NewKey
        """A new key and its text."""
        auth = auth_of(self.gateway)
        assert auth.keys is not None
        now = self.gateway.services.clock.time()
        return await auth.keys.create(lambda *parts: NewKey(**fields).key(tenant, now, *parts))


@asynccontextmanager
async def house(
    settings: TomlTable | None = None, runner: str = RUNNERS[0], registry: Registry | None = None
) -> AsyncIterator[House]:
    """The gateway of these tables, or of `tables()`."""
    gateway = Gateway(settings_from(settings or tables()), registry=registry)
    async with gateway, serving(asgi(gateway), runner) as served:
        yield House(gateway, served)
