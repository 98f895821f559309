"""Credentials for tests, and a stage that knows them, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sentinel_core.config import Secret
from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_core.json_types import TomlValue
from sentinel_core.keys import Principal
from sentinel_core.records import RecordStore
from sentinel_core.services import Services
from sentinel_core.testing import FakeClock, fake_services
from sentinel_core.testing.harness import stage_config
from sentinel_plugins.auth import Auth, AuthConfig
from sentinel_plugins.auth.admin.key_shapes import NewKey
from sentinel_plugins.auth.admin.tenant_shapes import NewTenant
from sentinel_plugins.auth.tenants import Tenant
from sentinel_plugins.auth.virtual_keys import VirtualKey, VirtualKeys

STATIC = "static-key-for-tests-0001"
ADMIN_KEY = "admin-key-for-tests-00001"
PEPPER = "pepper-for-tests-00000001"


def secret(text: str) -> Secret:
    """A secret as the configuration would have it."""
    return Secret(text, "TEST")


def client(key: str | None = None, *, route: str = "", address: str = "203.0.113.7", **headers: str) -> Client:
    """A client with a key in `X-API-Key`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        named["x-api-key"] = key
    return Client(address, named, route)


class Known(NamedTuple):
    """An open stage, and what a test needs to reach into it."""

    auth: Auth
    services: Services
    clock: FakeClock

    @property
    def keys(self) -> VirtualKeys:
        """The keys of the record store."""
        assert self.auth.keys is not None
        return self.auth.keys

    async def create(self, tenant: str = "default", **fields: Any) -> tuple[VirtualKey, str]:  # of a NewKey
        """A new key and its text."""
        new = NewKey(**fields)
        return await self.keys.create(lambda *parts: new.key(tenant, self.clock.time(), *parts))

    async def tenant(self, name: str, **fields: Any) -> Tenant:  # of a NewTenant
        """A new tenant in the record store."""
        made = NewTenant(id=name, **fields).tenant(self.clock.time())
        await self.auth.tenants.add(made)
        return made

    async def who(self, client: Client) -> Principal:
        """The principal. Raises `Refusal`."""
        return await self.auth.authenticate(client)

    async def code(self, client: Client) -> str | None:
        """The code of the refusal; None for whoever is let in."""
        try:
            await self.who(client)
        except Refusal as error:
            return error.code
        return None


@asynccontextmanager
async def known(
    table: Mapping[str, TomlValue] | None = None, records: RecordStore | None = None
) -> AsyncIterator[Known]:
    """The stage with a pepper, a static key and an administrator's key, or with another table."""
    table = (
        {"pepper": secret(PEPPER), "api_key": secret(STATIC), "admin_key": secret(ADMIN_KEY)}
        if table is None
        else table
    )
    clock = FakeClock()
    async with fake_services(clock) as services:
        if records is not None:
            services = Services(
                clock=clock, http=services.http, executor=services.executor, state=services.state, records=records
            )
        config = stage_config(Auth, table)
        assert isinstance(config, AuthConfig)
        async with Auth.open(config, services) as auth:
            yield Known(auth, services, clock)
