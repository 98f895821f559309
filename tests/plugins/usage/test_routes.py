"""`GET /v1/usage` and `sentinel usage`: exact sums, and nobody sees what is another's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from sentinel_core.json_types import TomlTable
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.auth.config import BOOTSTRAP
from sentinel_plugins.records.memory import MemoryRecords
from sentinel_plugins.usage.row import TABLE
from tests.plugins.auth.callers import ADMIN_KEY, STATIC, secret
from tests.plugins.auth.gateway import House, house, tables
from tests.server.cli.conftest import Sentinel, sentinel

__all__ = ["sentinel"]

USAGE = "/v1/usage"
NOVEMBER = 1_795_694_400.0  # 2026-11-26T12:00:00Z


def settings(records: TomlTable | None = None) -> TomlTable:
    found = tables()
    found["stages"]["usage"] = {}
    return {**found, "records": records or {}}


async def chat(h: House, key: str, model: str = "gpt-4o") -> None:
    """One call. Whoever asks for sums behind it, at once, finds it in them."""
    answer = await h.ask(
        "/v1/chat/completions", key, "POST", model=model, messages=[{"role": "user", "content": "Hello"}]
    )
    assert answer.status == 200, answer.body


async def test_s4_17_s4_18_c_31_a_caller_sees_their_own_and_an_administrator_everything(
    records_table: TomlTable,
) -> None:
    async with house(settings(records_table)) as h:
        for name in ("acme", "other"):
            assert (await h.ask("/admin/tenants", ADMIN_KEY, "POST", id=name)).status == 201
        (key, text), (_, neighbour), (_, foreign) = await h.key("acme"), await h.key("acme"), await h.key("other")
        _, head = await h.key("acme", scopes=["keys"])
        for who, model in ((text, "gpt-4o"), (text, "o3"), (neighbour, "o3"), (foreign, "o3")):
            await chat(h, who, model)
        requests = {
            who: (await h.ask(USAGE, who)).json["total"]["requests"]
            for who in (text, neighbour, foreign, head, ADMIN_KEY)
        }
        assert requests == {text: 2, neighbour: 1, foreign: 1, head: 3, ADMIN_KEY: 4}
        by_model = (await h.ask(f"{USAGE}?group_by=model", text)).json
        assert [(row["value"], row["totals"]["requests"]) for row in by_model["data"]] == [("gpt-4o", 1), ("o3", 1)]
        assert set(by_model["cost_by_provider"]) == {"echo"}
        assert set(by_model["cost_by_model"]) == {"gpt-4o", "o3"}
        by_tenant = (await h.ask(f"{USAGE}?group_by=tenant", ADMIN_KEY)).json["data"]
        assert [(row["value"], row["totals"]["requests"]) for row in by_tenant] == [("acme", 3), ("other", 1)]
        by_key = (await h.ask(f"{USAGE}?group_by=key&tenant=acme", ADMIN_KEY)).json["data"]
        assert {row["value"]: row["totals"]["requests"] for row in by_key}[key.id] == 2
        assert (await h.ask(f"{USAGE}?tenant=other", text)).status == 404
        assert (await h.ask(USAGE)).status == 401
        assert (await h.ask(f"{USAGE}?key={key.id}", neighbour)).json["total"]["requests"] == 0


async def test_z05_a_user_who_is_called_as_a_key_sees_nothing_of_it(records_table: TomlTable) -> None:
    shared = "secret-of-an-issuer-that-is-long-enough"
    table = {"issuer": "https://id.test/", "audience": ["us"], "secret": secret(shared), "algorithms": ["HS256"]}
    found = settings(records_table)
    found["stages"]["auth"]["jwt"] = table
    claims = {"iss": "https://id.test/", "aud": "us", "sub": BOOTSTRAP, "exp": 4e9}
    async with house(found) as h:
        await chat(h, STATIC)
        token = jwt.encode(claims, shared, algorithm="HS256")
        for query in ("", f"?key={BOOTSTRAP}", "?model=gpt-4o"):
            assert (await h.ask(f"{USAGE}{query}", STATIC)).json["total"]["requests"] == 1
            assert (await h.ask(f"{USAGE}{query}", token)).json["total"]["requests"] == 0
        await chat(h, token)
        assert (await h.ask(USAGE, token)).json["total"]["requests"] == 1
        assert (await h.ask(USAGE, STATIC)).json["total"]["requests"] == 1


@pytest.mark.parametrize("query", ["group_by=user", "since=yesterday", "until=2026-13-01", "since=1e999"])
async def test_a_parameter_that_cannot_be_read_is_named(query: str) -> None:
    async with house(settings()) as h:
        answer = await h.ask(f"{USAGE}?{query}", STATIC)
        assert (answer.status, answer.code) == (400, "invalid_parameter")
        assert answer.json["error"]["param"] == query.partition("=")[0]


def row(number: int, day: int, provider: str, cost: int | None) -> Record:
    fields = {
        "model": "m",
        "provider": provider,
        "requests": 1,
        "prompt_tokens": 10,
        "cost_nanousd": cost,
        "unpriced": int(cost is None),
    }
    return Record(f"r{number}:1", "acme", NOVEMBER + 86_400 * day, fields)


async def kept(records: RecordStore) -> None:
    written = [row(1, 0, "a", 1_500), row(2, 0, "a", 1), row(3, 1, "b", None), row(4, 2, "b", 10**18)]
    await records.append(TABLE, written)


async def test_money_is_exact_and_time_is_half_open(records_table: TomlTable) -> None:
    async with house(settings(records_table)) as h:
        await kept(h.gateway.records)
        whole = (await h.ask(f"{USAGE}?group_by=day", ADMIN_KEY)).json
        assert [row["value"] for row in whole["data"]] == ["2026-11-26", "2026-11-27", "2026-11-28"]
        assert whole["total"]["cost_nanousd"] == 10**18 + 1_501
        assert whole["total_cost_usd"] == "1000000000.000001501"
        assert whole["cost_by_provider"] == {"a": "0.000001501", "b": "1000000000"}
        assert whole["total"]["unpriced"] == 1
        part = (await h.ask(f"{USAGE}?since=2026-11-26&until=2026-11-27T12:00:00Z", ADMIN_KEY)).json
        assert (part["total"]["attempts"], part["total_cost_usd"], part["data"]) == (2, "0.000001501", [])


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryRecords:
    """One store for every command of a test, as a file would be."""
    found = MemoryRecords()

    @asynccontextmanager
    async def opened(config: Any) -> AsyncIterator[MemoryRecords]:  # the store's own Config
        yield found

    monkeypatch.setattr(MemoryRecords, "reader", opened)
    monkeypatch.setattr(MemoryRecords, "durable", True)
    return found


@pytest.mark.parametrize(
    "command", [("usage",), ("cost", "reconcile", "--csv", "bill.csv", "--provider", "openai"), ("audit", "verify")]
)
def test_d04_a_command_that_reads_makes_no_file(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (tmp_path / "bill.csv").write_text("date,cost\n2026-11-26,1\n", "utf-8")
    monkeypatch.setenv("AUDIT_KEY", "a key of the tests")
    config = '[records]\nkind = "sqlite"\n[stages.usage]\n[stages.audit]\nkey = { env = "AUDIT_KEY" }\n'
    result = sentinel(*command, config=config)
    assert (result.code, "[records] path: is not there" in result.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bill.csv", "sentinel.toml"]


def test_the_command_prints_the_same_sums(sentinel: Sentinel, store: MemoryRecords) -> None:
    asyncio.run(kept(store))
    shown = sentinel("usage", "--group-by", "provider", config="[stages.usage]\n")
    assert (shown.code, shown.err) == (0, "")
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[0][:3] == ["PROVIDER", "REQUESTS", "CALLS"]
    assert lines[1] == ["a", "2", "2", "20", "0", "0", "0.000001501"]
    assert lines[-1][0] == "total"
    found = json.loads(sentinel("usage", "--since", "2026-11-27", "--json", config="[stages.usage]\n").out)
    assert (found["total"]["attempts"], found["total"]["unpriced"]) == (2, 1)


@pytest.mark.parametrize(
    "arguments", [("--group-by", "mood"), ("--since", "yesterday"), ("--until", "2026-13-01")], ids=" ".join
)
def test_an_option_that_cannot_be_read_is_a_wrong_argument(sentinel: Sentinel, arguments: tuple[str, str]) -> None:
    refused = sentinel("usage", *arguments, config="[stages.usage]\n")
    assert (refused.code, refused.out) == (2, "")
    assert arguments[0] in refused.told


def test_rows_that_no_command_can_reach_are_a_configuration_error(sentinel: Sentinel) -> None:
    assert "expected a durable store" in sentinel("usage", config="[stages.usage]\n").err
