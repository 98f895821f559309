"""C-10, C-44: what is served to whom, decided before anything listens."""

from __future__ import annotations

import socket
from contextlib import nullcontext

import pytest

from sentinel_core import Registry
from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.keys import PRINCIPAL, Principal
from sentinel_core.stage import Stage, StageConfig
from sentinel_server import banner
from sentinel_server.exposure import THIS_MACHINE, allowed_hosts, problems
from tests.plugins.auth.callers import ADMIN_KEY, PEPPER, STATIC, secret


def gateway(auth: TomlTable | None, **server: TomlValue) -> Gateway:
    stages = {"auth": auth} if auth is not None else {}
    return served({"server": server, "stages": stages, "providers": {"echo": {}}})


def served(tables: TomlTable) -> Gateway:
    return Gateway(settings_from(tables), judge=problems)


@pytest.mark.parametrize("auth", [None, {}, {"admin_key": secret(ADMIN_KEY)}], ids=["no_stage", "no_key", "admin_only"])
def test_c10_a_public_address_without_keys_refuses_to_start(auth: TomlTable | None) -> None:
    with pytest.raises(ConfigError, match="no stage authenticates callers"):
        gateway(auth, host="0.0.0.0")
    gateway(auth, host="0.0.0.0", allow_anonymous=True)
    gateway(auth)


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_NONAME, "Name or service not known"), UnicodeError()])
def test_a_name_that_leads_nowhere_is_no_address_that_others_reach(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match="this name cannot be resolved") as refused:
        gateway(None, host="nosuch.invalid")
    assert "other machines" not in str(refused.value)


@pytest.mark.parametrize("auth", [{"api_key": secret(STATIC)}, {"pepper": secret(PEPPER)}], ids=["key", "pepper"])
def test_c10_with_keys_a_public_address_is_served_and_the_banner_says_so(auth: TomlTable) -> None:
    open_to_all = gateway(auth, host="0.0.0.0")
    assert "authenticated by the chain" in banner.render(open_to_all, "http://x", color=False)
    assert 'completions -H "X-API-Key: $KEY"' in banner.render(open_to_all, "http://x", color=False)
    assert "anonymous, from this machine only" in banner.render(gateway({}), "http://x", color=False)


def test_the_banners_call_names_a_model_where_one_is_listed() -> None:
    listed = served({"providers": {"openai": {"base_url": "http://x/v1", "models": ["m"]}}})
    assert """-d '{"model": "m", "messages":""" in banner.render(listed, "http://x", color=False)
    unlisted = served({"providers": {"openai": {"base_url": "http://x/v1"}}})
    assert """-d '{"messages":""" in banner.render(unlisted, "http://x", color=False)


@pytest.mark.parametrize(
    ("auth", "server", "served"),
    [
        (None, {}, (*THIS_MACHINE, "127.0.0.1")),
        ({"admin_key": secret(ADMIN_KEY)}, {"host": "::1"}, (*THIS_MACHINE, "[::1]")),
        (None, {"host": "127.0.0.2"}, (*THIS_MACHINE, "127.0.0.2")),
        (None, {"allowed_hosts": ["box.example"]}, ("box.example",)),
        (None, {"host": "0.0.0.0", "allow_anonymous": True}, ()),
        ({"api_key": secret(STATIC)}, {}, ()),
    ],
    ids=["default", "only an admin's key", "another address", "named", "beyond loopback", "keys"],
)
def test_c10_a_gateway_that_knows_nobody_answers_to_its_machines_own_names(
    auth: TomlTable | None, server: TomlTable, served: tuple[str, ...]
) -> None:
    assert allowed_hosts(gateway(auth, **server)) == served


class Doors(Stage):
    """Says who calls, and lets everybody in where its table says so."""

    name = "doors"
    writes = (PRINCIPAL,)

    @classmethod
    def authenticates(cls, config: StageConfig) -> bool:
        return config.timeout_s is not None

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx[PRINCIPAL] = Principal("acme", "ann")


@pytest.mark.parametrize(("table", "refused"), [({}, True), ({"timeout_s": 1.0}, False)], ids=["open", "closed"])
def test_a_stage_of_a_third_party_says_whether_it_authenticates(table: TomlTable, refused: bool) -> None:
    registry = Registry()
    registry.register(Doors)
    settings = settings_from({"server": {"host": "0.0.0.0"}, "stages": {"doors": table}, "providers": {"echo": {}}})
    with pytest.raises(ConfigError, match="no stage authenticates callers") if refused else nullcontext():
        Gateway(settings, registry=registry, judge=problems)


class Mistaken(Doors):
    """Cannot say whether it does."""

    name = "mistaken"

    @classmethod
    def authenticates(cls, config: StageConfig) -> bool:
        raise KeyError("mine")


def test_a_stage_that_cannot_say_whether_it_authenticates_hides_no_other_problem() -> None:
    registry = Registry()
    registry.register(Mistaken)
    tables = {"server": {"host": "0.0.0.0"}, "stages": {"mistaken": {}}, "providers": {"no_such_provider": {}}}
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from(tables), registry=registry, judge=problems)
    assert [problem.table for problem in caught.value.problems] == ["providers.no_such_provider", "stages.mistaken"]
    assert "Mistaken.authenticates() failed: KeyError" in str(caught.value)


PUBLIC = {"host": "0.0.0.0", "workers": 2}
BROKEN = {
    "a stage": ({"stages": {"rate_limit": {"algoritm": "gcra"}}}, ["stages.rate_limit", "server", "state", "records"]),
    "no stage": ({"stages": {"usgae": {}}}, ["stages.usgae", "state", "records"]),
    "who authenticates": ({"stages": {"auth": {"pepper": 1}}}, ["stages.auth", "state", "records"]),
    "a store": ({"state": {"kind": "memry"}}, ["state", "server", "records"]),
    "a provider": ({"providers": {"openai": {"timeout_s": "x"}}}, ["providers.openai", "server", "state", "records"]),
}


@pytest.mark.parametrize(("broken", "tables"), BROKEN.values(), ids=BROKEN)
def test_it_is_told_with_whatever_else_is_wrong(broken: TomlTable, tables: list[str]) -> None:
    """Of what cannot be drawn nobody knows whether it would do."""
    with pytest.raises(ConfigError) as refused:
        served({"server": PUBLIC, "providers": {"echo": {}}, **broken})
    assert sorted({problem.table for problem in refused.value.problems}) == sorted(tables)
