"""Z13: nothing that is kept of one tenant has the name of something that is kept of another.

Whole gateways are driven by tenants, keys and users whose names hold colons, and then the stores are searched: for
every name that is in them, not for those that a test knows of.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sentinel_core.config import Secret, settings_from
from sentinel_core.context import Client, Context
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlValue
from sentinel_core.registry import Registry
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_core.state import StateStore, state_key
from sentinel_core.state_key import tenant_part
from sentinel_core.testing import chat_body
from tests.long_form import long_form
from tests.plugins.recording.written import flushed
from tests.redis.server import RedisServer

NAME = st.from_regex(r"[ab1][ab1:]{0,3}", fullmatch=True)
EVERY_LIMIT = {
    "requests_per_minute": 9,
    "tokens_per_minute": 999_999,
    "max_concurrency": 9,
    "daily_usd": 1.0,
    "monthly_usd": 1.0,
    "total_usd": 1.0,
}
TABLES = ("usage", "audit")
TABLE_WIDE = {f"sentinel:records:{{5:{table}}}:{kind}" for table in TABLES for kind in ("times", "tenants")}


class Caller(NamedTuple):
    """Who asks."""

    tenant: str
    key: str
    user: str

    @property
    def client(self) -> Client:
        """With this caller's key."""
        return Client("203.0.113.7", {"x-api-key": f"secret-of-{self.key:_<8}"})


class Looks(Stage):
    """Stands behind the admission and looks into the store while everything is reserved."""

    name = "looks"
    seen: ClassVar[set[str]]

    def __init__(self, config: Any, state: StateStore) -> None:  # Any: the base's signature
        super().__init__(config)
        self._state = state

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        """With the store."""
        yield cls(config, services.state)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Note every name."""
        if self._state.kind == "memory":
            Looks.seen |= set(names(self._state))


def names(thing: object) -> Iterator[str]:
    """Every text that is a key of a table somewhere in a store in memory, but for tables of functions; of a budget's,
    which is with a day, the first part."""
    if isinstance(thing, Mapping):
        for key, value in thing.items():
            if callable(value):
                continue
            first = key[0] if isinstance(key, tuple) else key
            yield from (first,) if isinstance(first, str) else ()
            yield from names(value)
    elif isinstance(thing, list | tuple | set | frozenset):
        for item in thing:
            yield from names(item)
    elif type(thing).__module__.startswith("sentinel_plugins."):
        slots = [slot for kind in type(thing).__mro__ for slot in getattr(kind, "__slots__", ())]
        for attribute in {*slots, *getattr(thing, "__dict__", ())}:
            yield from names(getattr(thing, attribute, None))


def gateway(callers: tuple[Caller, ...], **stores: TomlValue) -> Gateway:
    """A gateway in which everything is limited that can be."""
    registry = Registry()
    registry.register(Looks)
    keys = {
        caller.key: {
            "secret": Secret(caller.client.headers["x-api-key"], "TEST"),
            "tenant": caller.tenant,
            "user": caller.user,
        }
        for caller in callers
    }
    limit = {**dict.fromkeys(("tenant", "key", "user"), EVERY_LIMIT), "models": {"fa*": EVERY_LIMIT}}
    tables = {
        "providers": {"echo": {"models": ["fake"]}},
        "stages": {
            "audit": {},
            "usage": {},
            "auth": {"keys": keys, "tenants": {caller.tenant: {} for caller in callers}},
            "rate_limit": limit,
            "looks": {},
            "routing": {},
        },
        "chain": {"stages": ["audit", "usage", "auth", "rate_limit", "looks", "routing"]},
    }
    return Gateway(settings_from({**tables, **stores}), registry=registry)


async def driven(*callers: Caller) -> None:
    """Each asks once; then the stores are searched."""
    Looks.seen = set()
    async with gateway(callers) as live:
        for caller in callers:
            await live.complete(chat_body(), client=caller.client)
        await flushed(live)
        found = Looks.seen | set(names(live.state))
        owners = {caller.tenant: state_key(caller.tenant) for caller in callers}
        assert {tenant_part(name) for name in found} == set(owners.values())
        kept = [sum(tenant_part(name) == owner for name in found) for owner in owners.values()]
        assert kept[0] == kept[1] > 4 * 6, found
        for table in TABLES:
            for caller in callers:
                page = await live.records.query(table, tenant=caller.tenant, limit=9)
                assert [record.fields["key"] for record in page.records] == [caller.key]


@long_form
@settings(max_examples=20)
@given(tenants=st.tuples(NAME, NAME), keys=st.tuples(NAME, NAME), users=st.tuples(NAME, NAME))
def test_z13_no_name_in_memory_is_two_tenants(
    tenants: tuple[str, str], keys: tuple[str, str], users: tuple[str, str]
) -> None:
    assume(tenants[0] != tenants[1])
    assume(keys[0] != keys[1])
    first, second = (Caller(*parts) for parts in zip(tenants, keys, users, strict=True))
    asyncio.run(driven(first, second))


@long_form
def test_z13_the_ledgers_own_example_is_kept_apart() -> None:
    asyncio.run(driven(Caller("a:b", "c", "d"), Caller("a", "b:c", "d")))


def owns(tenant: str, name: str) -> bool:
    """Whether a name in Redis is this tenant's: it stands in the hash tag of state, and at the end of records."""
    whole = f"{len(tenant)}:{tenant}"
    return name.endswith(f":{whole}") if name.startswith("sentinel:records:") else f":{{{whole}}}" in name


@pytest.mark.parametrize("pair", [(("a:b", "c"), ("a", "b:c")), (("a:1:b", "c"), ("a", "1:b:c"))])
async def test_z13_no_name_in_redis_is_two_tenants(
    pair: tuple[tuple[str, str], tuple[str, str]], redis_server: RedisServer, tmp_path: Path
) -> None:
    redis = {"kind": "redis", "url": Secret(redis_server.url, "TEST"), "timeout_s": 10.0}
    stores = {"state": redis, "records": {**redis, "spool": str(tmp_path / "spool")}}
    callers = tuple(Caller(tenant, key, "u") for tenant, key in pair)
    async with gateway(callers, **stores) as live:
        for caller in callers:
            await live.complete(chat_body(), client=caller.client)
    found = [name.decode() for name in redis_server.ask("KEYS", "*")]
    owned = {name: [caller.tenant for caller in callers if owns(caller.tenant, name)] for name in found}
    assert {name for name, owners in owned.items() if not owners} == TABLE_WIDE
    kept = [sum(owners == [caller.tenant] for owners in owned.values()) for caller in callers]
    assert kept[0] == kept[1] > 4 * 6
    assert sum(kept) + len(TABLE_WIDE) == len(found)
