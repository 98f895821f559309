"""`sentinel keys` and `sentinel tenants`, on a record store that outlives each command."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_plugins.records.memory import MemoryRecords
from tests.plugins.auth.callers import PEPPER, client, known, secret
from tests.server.cli.conftest import Sentinel, sentinel

__all__ = ["sentinel"]

CONFIG = """
[stages.auth]
pepper = { env = "SENTINEL_KEY_PEPPER" }

[stages.auth.tenants.fixed]
models = ["o3"]
"""


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> MemoryRecords:
    """One store for every command of a test, as a file would be."""
    store = MemoryRecords()

    @asynccontextmanager
    async def opened(config: Any) -> AsyncIterator[MemoryRecords]:  # the store's own Config
        yield store

    monkeypatch.setattr(MemoryRecords, "open", opened)
    monkeypatch.setattr(MemoryRecords, "durable", True)
    return store


@pytest.fixture
def cli(sentinel: Sentinel, records: MemoryRecords, monkeypatch: pytest.MonkeyPatch) -> Sentinel:
    """The command line with a pepper."""
    monkeypatch.setenv("SENTINEL_KEY_PEPPER", PEPPER)

    def run(*arguments: str, config: str | None = CONFIG) -> Any:  # a Result
        return sentinel(*arguments, config=config)

    return run


async def code_of(records: MemoryRecords, text: str) -> str | None:
    async with known({"pepper": secret(PEPPER)}, records) as auth:
        asking: Client = client(text)
        try:
            await auth.who(asking)
        except Refusal as error:
            return error.code
        return None


def test_a_key_is_made_listed_rotated_and_revoked(cli: Sentinel) -> None:
    assert cli("tenants", "create", "acme", "--model", "gpt-4o*", "--limit", "requests_per_minute=60").code == 0
    made = json.loads(cli("keys", "create", "--tenant", "acme", "--name", "ci", "--json").out)
    assert made["key"].startswith("sk-sentinel-")
    listed = cli("keys", "list").out
    assert made["id"] in listed
    assert made["key"] not in listed
    rotated = json.loads(cli("keys", "rotate", made["id"], "--json").out)
    assert rotated["key"] != made["key"]
    assert cli("keys", "revoke", made["id"]).code == 0
    rows = json.loads(cli("keys", "list", "--tenant", "acme", "--json").out)
    assert [(row["id"], row["status"], row["name"]) for row in rows] == [(made["id"], "revoked", "ci")]
    assert cli("keys", "list", "--tenant", "nobody", "--json").out.strip() == "[]"


def test_a_key_made_here_is_good_at_a_gateway_and_ends_when_it_is_revoked(
    cli: Sentinel, records: MemoryRecords
) -> None:
    import asyncio

    text = cli("keys", "create").out.strip()
    identity = json.loads(cli("keys", "list", "--json").out)[0]["id"]
    assert asyncio.run(code_of(records, text)) is None
    cli("keys", "revoke", identity)
    assert asyncio.run(code_of(records, text)) == "invalid_api_key"


def test_a_tenant_is_changed_and_disabled(cli: Sentinel) -> None:
    cli("tenants", "create", "acme", "--model", "gpt-4o*")
    cli("tenants", "update", "acme", "--limit", "daily_usd=2.5", "--disable")
    rows = {row["id"]: row for row in json.loads(cli("tenants", "list", "--json").out)}
    assert (rows["acme"]["models"], rows["acme"]["limits"]["daily_usd"]) == (["gpt-4o*"], 2.5)
    assert rows["acme"]["disabled_at"] is not None
    assert rows["fixed"]["declared"] is True
    table = cli("tenants", "list").out
    assert "disabled" in table
    assert "daily_usd=2.5" in table


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("keys", "create", "--tenant", "nobody"), 1, "There is no tenant 'nobody'"),
        (("keys", "revoke", "key_0"), 1, "There is no key 'key_0'"),
        (("keys", "rotate", "key_0"), 1, "There is no key 'key_0'"),
        (("tenants", "create", "fixed"), 1, "There is a tenant 'fixed' already"),
        (("tenants", "update", "nobody", "--disable"), 1, "There is no tenant 'nobody'"),
        (("keys", "create", "--limit", "nonsense=1"), 2, "is not a limit"),
        (("keys", "create", "--limit", "daily_usd=-1"), 2, ""),
        (("keys", "create", "--model", "a&b"), 2, ""),
        (("keys", "destroy"), 2, ""),
    ],
)
def test_what_cannot_be_done_says_why(cli: Sentinel, arguments: tuple[str, ...], code: int, says: str) -> None:
    result = cli(*arguments)
    assert result.code == code
    assert says in result.err


def test_each_command_has_its_help(cli: Sentinel) -> None:
    for group, names in {
        "keys": ("create", "list", "rotate", "revoke"),
        "tenants": ("create", "update", "list"),
    }.items():
        shown = cli(group, "--help")
        assert shown.code == 0
        assert all(name in shown.out for name in names)
        assert all(cli(group, name, "--help").code == 0 for name in names)


def test_rows_that_no_command_can_reach_are_a_configuration_error(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTINEL_KEY_PEPPER", PEPPER)
    result = sentinel("keys", "list", config=CONFIG)
    assert (result.code, "expected a durable store" in result.err) == (2, True)
    monkeypatch.delenv("SENTINEL_KEY_PEPPER")
    assert "[stages.auth] pepper" in sentinel("keys", "list", config="[stages.auth]\n").err
