"""`sentinel keys` and `sentinel tenants`, on a record store that outlives each command."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sentinel_core.json_types import JsonObject
from sentinel_core.limits import Rate
from sentinel_plugins.auth.admin import printing
from sentinel_plugins.auth.admin.key_shapes import shown_key
from sentinel_plugins.auth.virtual_keys import VirtualKey
from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from tests.plugins.auth.callers import PEPPER, client, known, secret
from tests.server.cli.conftest import Sentinel, sentinel

__all__ = ["sentinel"]

RECORDS = """
[records]
kind = "sqlite"
path = "rows.db"
"""
CONFIG = """
[stages.auth]
pepper = { env = "SENTINEL_KEY_PEPPER" }

[stages.auth.tenants.fixed]
models = ["o3"]
"""


@pytest.fixture
def cli(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> Sentinel:
    """The command line with a pepper, and with rows in a file."""
    monkeypatch.setenv("SENTINEL_KEY_PEPPER", PEPPER)

    def run(*arguments: str, config: str | None = CONFIG + RECORDS) -> Any:  # a Result
        return sentinel(*arguments, config=config)

    return run


def test_a_list_shows_whatever_time_a_row_says(capsys: pytest.CaptureFixture[str]) -> None:
    row = VirtualKey(id="key_1", tenant="acme", created_at=0.0, digest="", hint="", expires_at=1e12)
    printing.keys([shown_key(row, 0.0)], json=False)
    assert "9999-12-31 23:59" in capsys.readouterr().out


@pytest.mark.parametrize("days", ["nan", "inf", "0", "-1", "1e9"])
def test_a_lifetime_that_is_none_is_told_by_the_name_of_its_option(cli: Sentinel, days: str) -> None:
    refused = cli("keys", "create", "--expires-in-days", days)
    assert refused.code == 2
    assert "'--expires-in-days': write a number of days above 0, at most 36600" in refused.told


def test_a_tenant_without_a_name_is_no_other_tenant(cli: Sentinel, tmp_path: Path) -> None:
    assert cli("keys", "create", "--tenant", "").code == 2
    assert not (tmp_path / "rows.db").exists()


async def codes(records: Path, *texts: str) -> list[str | None]:
    """What a gateway on the same rows says to these keys."""
    store = SqliteRecords.open(SqliteRecordsConfig(path=str(records)))
    async with store as rows, known({"pepper": secret(PEPPER)}, rows) as auth:
        return [await auth.code(client(text)) for text in texts]


@pytest.mark.parametrize(
    "command",
    ["keys list", "keys rotate key_1", "keys revoke key_1", "tenants list", "tenants update acme --disable"],
)
def test_only_what_creates_something_makes_a_store(cli: Sentinel, tmp_path: Path, command: str) -> None:
    """In the wrong folder an empty list would be an answer, and a command for usage would find an empty ledger."""
    said = cli(*command.split())
    assert said.code == 2
    assert f"is not there; found '{tmp_path / 'rows.db'}'" in said.told.replace("\n", "")
    assert not (tmp_path / "rows.db").exists()
    assert cli("keys", "create").code == 0
    assert (tmp_path / "rows.db").exists()


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


def test_a_key_made_here_is_good_at_a_gateway_and_ends_when_it_is_revoked(cli: Sentinel, tmp_path: Path) -> None:
    kept, ended = cli("keys", "create").out.strip(), cli("keys", "create", "--name", "ended").out.strip()
    identity = next(row["id"] for row in json.loads(cli("keys", "list", "--json").out) if row["name"] == "ended")
    cli("keys", "revoke", identity)
    assert asyncio.run(codes(tmp_path / "rows.db", kept, ended)) == [None, "invalid_api_key"]


@pytest.mark.parametrize(
    "command", [("keys", "create"), ("tenants", "create", "acme"), ("tenants", "update", "acme")], ids=" ".join
)
def test_limits_that_no_stage_counts_are_taken_with_a_warning(cli: Sentinel, command: tuple[str, ...]) -> None:
    if "update" in command:
        cli("tenants", "create", "acme")
    limited = (*command, "--limit", "requests_per_minute=60")
    result = cli(*limited)
    assert (result.code, result.err.count("[stages.rate_limit]")) == (0, 1)
    assert "[stages.rate_limit]" not in result.out
    if "update" in command:
        assert cli(*command, "--enable").err == ""
        assert cli(*limited, config=CONFIG + RECORDS + "[stages.rate_limit]\n").err == ""


def test_a_scope_that_no_route_asks_for_is_given_with_a_warning(cli: Sentinel) -> None:
    result = cli("keys", "create", "--scope", "root", "--scope", "keys")
    assert (result.code, result.err) == (0, "warning: no route asks for the scope 'root', but for: admin, keys\n")
    assert cli("keys", "create", "--scope", "admin", "--scope", "keys").err == ""
    assert cli("keys", "create", "--scope", "guard", config=CONFIG + RECORDS + "[stages.guard_api]\n").err == ""


def test_z19_the_file_holds_no_key(cli: Sentinel, tmp_path: Path) -> None:
    text = cli("keys", "create").out.strip()
    dump = b"".join(path.read_bytes() for path in tmp_path.glob("rows.db*"))
    assert b"key_" in dump
    assert text[len("sk-sentinel-") + 17 :].encode() not in dump


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


def test_a_tenant_that_the_configuration_hides_is_listed_once(cli: Sentinel) -> None:
    cli("tenants", "create", "fixed", config=CONFIG.partition("[stages.auth.tenants")[0] + RECORDS)
    listed = [(row["id"], row["declared"]) for row in json.loads(cli("tenants", "list", "--json").out)]
    assert listed == [("fixed", True)]


def test_a_limit_that_is_not_given_stays(cli: Sentinel, tmp_path: Path) -> None:
    def limits() -> JsonObject:
        (row,) = [row for row in json.loads(cli("tenants", "list", "--json").out) if row["id"] == "acme"]
        return {name: value for name, value in row["limits"].items() if value}

    cli("tenants", "create", "acme", "--limit", "daily_usd=2.5", "--limit", "requests_per_minute=9")
    window = {"limit": 5, "period_s": 1.0}
    asyncio.run(windowed(tmp_path / "rows.db", "acme", window))
    cli("tenants", "update", "acme", "--limit", "requests_per_minute=60")
    assert limits() == {"daily_usd": 2.5, "requests_per_minute": 60, "windows": [{"unit": "requests", **window}]}
    cli("tenants", "update", "acme", "--limit", "requests_per_minute=null", "--limit", "max_concurrency=2")
    assert limits() == {"daily_usd": 2.5, "max_concurrency": 2, "windows": [{"unit": "requests", **window}]}


async def windowed(records: Path, tenant: str, window: JsonObject) -> None:
    """Give a tenant a window, which no command can."""
    store = SqliteRecords.open(SqliteRecordsConfig(path=str(records)))
    async with store as rows, known({"pepper": secret(PEPPER)}, rows) as auth:
        windows = (Rate(**window),)
        tenants = auth.auth.tenants
        await tenants.change(tenant, lambda found: replace(found, limits=replace(found.limits, windows=windows)))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("keys", "create", "--tenant", "nobody"), 1, "There is no tenant 'nobody'"),
        (("keys", "revoke", "key_0"), 1, "There is no key 'key_0'"),
        (("keys", "rotate", "key_0"), 1, "There is no key 'key_0'"),
        (("tenants", "update", "nobody", "--disable"), 1, "There is no tenant 'nobody'"),
        (("tenants", "update", "fixed", "--disable"), 1, "in the configuration"),
        (("tenants", "create", "fixed"), 1, "in the configuration"),
        (("tenants", "create", "anonymous"), 1, "There is a tenant 'anonymous' already"),
        (("keys", "create", "--limit", "nonsense=1"), 2, "is not a limit"),
        (("keys", "create", "--limit", "daily_usd=-1"), 2, "daily_usd=-1: write daily_usd=NUMBER, a number >= 0"),
        (("keys", "create", "--limit", "max_concurrency=many"), 2, "write max_concurrency=NUMBER, an integer >= 0"),
        (("tenants", "create", "a", "--limit", "max_concurrency"), 2, "write max_concurrency=NUMBER, an integer >= 0"),
        (("keys", "create", "--model", "a&b"), 2, "models: expected a list of (a name in which up to 8 * stand"),
        (("keys", "create", "--name", "a\x1b[8m"), 2, "name: expected one line of text"),
        (("keys", "create", "--name", "\udcff"), 2, "the argument '\\udcff' is not UTF-8"),
        (("keys", "revoke", "\udcff"), 2, "is not UTF-8"),
        (("tenants", "create", "acme\n"), 2, "id: expected a letter or digit, then up to 127"),
        (("keys", "destroy"), 2, ""),
    ],
)
def test_what_cannot_be_done_says_why(cli: Sentinel, arguments: tuple[str, ...], code: int, says: str) -> None:
    assert cli("keys", "create").code == 0
    result = cli(*arguments)
    assert result.code == code
    assert says in result.told


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
    told = sentinel("keys", "list", config="[stages.auth]\n").told
    assert "[stages.auth] pepper: is not set, and without it no keys or tenants are made at run time" in told
    assert "SENTINEL_KEY_PEPPER" in told


def test_explain_says_what_a_key_may_reach(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING", "billing-key-for-tests-1")
    table = '[stages.auth.keys.billing]\nsecret = { env = "BILLING" }\nmodels = ["small*"]\n[stages.routing]\n'
    table += '[providers.echo]\nmodels = ["small-1", "large-1"]\n'
    asked = ("explain", "--key-env", "BILLING", "--model")
    assert "echo/small-1" in sentinel(*asked, "small-1", config=table).out
    assert "403 model_not_allowed" in sentinel(*asked, "large-1", config=table).out
    assert "401 invalid_api_key" in sentinel("explain", "--model", "small-1", config=table).out
    unset = sentinel("explain", "--key-env", "NOBODY", "--model", "small-1", config=table)
    assert (unset.code, "NOBODY is not set" in unset.err) == (2, True)


ASKED = ("explain", "--key-env", "MADE", "--model", "m")
ECHO = '[providers.echo]\nmodels = ["m"]\n'


def test_explain_knows_a_key_that_was_made_at_run_time_and_writes_nothing(
    cli: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIG + RECORDS + ECHO
    text = cli("keys", "create", "--model", "m", config=config).out.split()[-1]
    monkeypatch.setenv("MADE", text)
    before = (tmp_path / "rows.db").read_bytes()
    assert "would be sent to echo/m" in cli(*ASKED, config=config).out
    assert "403 model_not_allowed" in cli(*ASKED[:-1], "n", config=config.replace('"m"', '"m", "n"')).out
    monkeypatch.setenv("MADE", text[:-5] + "wrong")
    assert "401 invalid_api_key" in cli(*ASKED, config=config).out
    assert (tmp_path / "rows.db").read_bytes() == before


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ("", "only the gateway itself has them"),
        (RECORDS, "[records] path: "),
        ('[records]\nkind = "redis"\nurl = { env = "DOWN" }\n', "does not answer"),
    ],
    ids=["memory", "none", "down"],
)
def test_explain_does_not_judge_a_key_whose_row_it_cannot_read(
    cli: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: str, why: str
) -> None:
    monkeypatch.setenv("MADE", f"sk-sentinel-{'0' * 16}-{'a' * 43}")
    monkeypatch.setenv("DOWN", "redis://127.0.0.1:1/0")
    told = cli(*ASKED, "--json", config=CONFIG + records + ECHO).out
    (auth,) = (row for row in json.loads(told)["stages"] if (row["stage"], row["phase"]) == ("auth", "on_request"))
    assert auth["decision"] == "not_evaluated"
    assert why in auth["detail"]
    assert "401 invalid_api_key" in cli("explain", "--model", "m", config=CONFIG + records + ECHO).out
    assert not (tmp_path / "rows.db").exists()
