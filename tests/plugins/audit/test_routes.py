"""`/v1/audit` over real sockets, and `sentinel audit verify` on a file that a gateway has written."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.testing.fake_clock import settle
from tests.plugins.auth.callers import ADMIN_KEY, STATIC
from tests.plugins.auth.gateway import House, house, tables
from tests.server.cli.conftest import Sentinel, sentinel

__all__ = ["sentinel"]

AUDIT = "/v1/audit"
KEY = "a key of the tests"


def settings() -> dict[str, Any]:  # TOML values
    found = tables()
    found["stages"] |= {"audit": {}, "usage": {}}
    return found


async def chat(h: House, key: str, model: str = "gpt-4o") -> str:
    """One request; its id."""
    answer = await h.ask(
        "/v1/chat/completions", key, "POST", model=model, messages=[{"role": "user", "content": "my secret"}]
    )
    await settle(20)
    return answer.headers["x-request-id"]


async def test_s4_43_s4_44_tenants_see_their_own_requests_and_an_administrator_everybodys() -> None:
    async with house(settings()) as h:
        for name in ("acme", "other"):
            assert (await h.ask("/admin/tenants", ADMIN_KEY, "POST", id=name)).status == 201
        (_, ours), (_, theirs) = await h.key("acme"), await h.key("other")
        _, head = await h.key("acme", scopes=["keys"])
        mine, foreign = await chat(h, ours), await chat(h, theirs, "o3")
        found = (await h.ask(AUDIT, ours)).json["data"]
        assert [row["request_id"] for row in found] == [mine]
        one = await h.ask(f"{AUDIT}/{mine}", ours)
        assert (one.status, one.json["tenant"], one.json["status"], one.json["provider"]) == (
            200,
            "acme",
            "completed",
            "echo",
        )
        assert "my secret" not in str(one.json)
        for key, path in ((ours, foreign), (theirs, mine), (head, foreign), (ours, "nothing")):
            assert (await h.ask(f"{AUDIT}/{path}", key)).status == 404
        assert (await h.ask(f"{AUDIT}/{mine}", head)).status == 200
        everybody = (await h.ask(AUDIT, ADMIN_KEY)).json["data"]
        assert [row["request_id"] for row in everybody] == [foreign, mine], "newest first"
        assert (await h.ask(f"{AUDIT}?tenant=other", ours)).status == 404
        filtered = (await h.ask(f"{AUDIT}?model=o3&status=completed", ADMIN_KEY)).json["data"]
        assert [row["request_id"] for row in filtered] == [foreign]
        assert (await h.ask(f"{AUDIT}?until=2001-01-01", ADMIN_KEY)).json["data"] == []
        assert (await h.ask(AUDIT)).status == 401


async def test_s4_43_pages_follow_each_other_by_cursor() -> None:
    async with house(settings()) as h:
        ids = [await chat(h, STATIC) for _ in range(5)]
        found: list[str] = []
        cursor = ""
        while cursor is not None:
            page = (await h.ask(f"{AUDIT}?limit=2" + (f"&cursor={cursor}" if cursor else ""), STATIC)).json
            found += [row["request_id"] for row in page["data"]]
            cursor = page["cursor"]
        assert found == ids[::-1]
        for query in ("cursor=nonsense", "limit=0", "limit=201", "since=never"):
            assert (await h.ask(f"{AUDIT}?{query}", STATIC)).code == "invalid_parameter"


async def test_a_refused_caller_is_in_the_audit() -> None:
    async with house(settings()) as h:
        await chat(h, "a key that nobody made")
        (row,) = (await h.ask(f"{AUDIT}?status=refused", ADMIN_KEY)).json["data"]
        assert (row["error"], row["tenant"], row["attempts"], row["cost_usd"]) == ("invalid_api_key", "", 0, "0")


CONFIG = """
[records]
kind = "sqlite"
path = "sentinel.db"

[stages.audit]
key = { env = "AUDIT_KEY" }
checkpoints = "notes"

[providers.echo]
kind = "echo"
models = ["echo"]
"""


async def written(folder: Path) -> None:
    """A file of records, as a gateway of this configuration leaves it."""
    tables = {
        "records": {"kind": "sqlite", "path": str(folder / "sentinel.db")},
        "stages": {"audit": {"key": {"env": "AUDIT_KEY"}, "checkpoints": str(folder / "notes")}},
        "providers": {"echo": {"kind": "echo", "models": ["echo"]}},
    }
    async with Gateway(settings_from(tables, environ={"AUDIT_KEY": KEY})) as gateway:
        for _ in range(4):
            await gateway.complete({"model": "echo", "messages": [{"role": "user", "content": "Hi"}]})


EDITS = {
    "edit": 'UPDATE records SET record = replace(record, \'"model":"echo"\', \'"model":"evil"\') WHERE rowid = 2',
    "delete": "DELETE FROM records WHERE rowid = 2",
    "truncate": "DELETE FROM records WHERE rowid = 4",
    "behead": "DELETE FROM records WHERE rowid = 1",
}


@pytest.mark.parametrize("edit", ["none", *EDITS])
def test_p11_the_command_finds_what_was_done_to_the_file(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    monkeypatch.setenv("AUDIT_KEY", KEY)
    asyncio.run(written(tmp_path))
    if edit in EDITS:
        with sqlite3.connect(tmp_path / "sentinel.db") as connection:
            assert connection.execute(EDITS[edit]).rowcount == 1
        connection.close()
    shown = sentinel("audit", "verify", config=CONFIG)
    assert (shown.code, shown.err) == (int(edit in EDITS), "")
    assert shown.out.splitlines()[-1] == ("NOT as they were written" if edit in EDITS else "as they were written")
    found = json.loads(sentinel("audit", "verify", "--json", config=CONFIG).out)
    assert (found["records"], bool(found["findings"])) == (4 - (edit not in ("none", "edit")), edit in EDITS)


def test_without_a_key_there_is_nothing_to_verify(sentinel: Sentinel) -> None:
    result = sentinel("audit", "verify", config="[stages.audit]\n")
    assert (result.code, "[stages.audit] key" in result.err) == (2, True)


@pytest.mark.parametrize("table", [{"checkpoints": "notes"}, {"guarantee": "perhaps"}, {"retention_s": 0}])
def test_a_table_that_cannot_be_used_is_named(sentinel: Sentinel, table: dict[str, Any]) -> None:
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
    result = sentinel("check", config=f"[stages.audit]\n{lines}")
    assert (result.code, "stages.audit" in result.err) == (2, True)
