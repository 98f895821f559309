"""`/v1/audit` over real sockets, and `sentinel audit verify` on a file that a gateway has written."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable
from sentinel_core.records import Record
from sentinel_plugins.audit.checkpoints import read
from sentinel_plugins.audit.entry import TABLE, Entry
from sentinel_plugins.audit.seal import Keys
from sentinel_plugins.audit.shapes import shown
from tests.plugins.audit.verified import verify
from tests.plugins.auth.callers import ADMIN_KEY, STATIC
from tests.plugins.auth.gateway import House, house, tables
from tests.plugins.recording.written import rows
from tests.plugins.records.opened import opened, sqlite_table
from tests.ports import free_port
from tests.server.cli.conftest import Sentinel, sentinel
from tests.server.cli.full_output import CANNOT, Full

__all__ = ["sentinel"]

AUDIT = "/v1/audit"
KEY = "a key of the tests"


def settings(records: TomlTable) -> TomlTable:
    found = tables()
    found["stages"] |= {"audit": {}, "usage": {}}
    return {**found, "records": records}


async def chat(h: House, key: str, model: str = "gpt-4o") -> str:
    """One request; its id. Whoever asks for its record behind it, at once, finds it."""
    answer = await h.ask(
        "/v1/chat/completions", key, "POST", model=model, messages=[{"role": "user", "content": "my secret"}]
    )
    return answer.headers["x-request-id"]


async def test_whoever_is_refused_by_the_head_stands_in_the_audit_of_their_tenant(records_table: TomlTable) -> None:
    async with house(settings(records_table)) as h:
        assert (await h.ask("/admin/tenants", ADMIN_KEY, "POST", id="acme")).status == 201
        key, text = await h.key("acme", routes=["/v1/audit*"])
        refused = await chat(h, text)
        (row,) = (await h.ask(AUDIT, text)).json["data"]
        told = (row["request_id"], row["tenant"], row["key"], row["status"], row["error"], row["attempts"])
        assert told == (refused, "acme", key.id, "refused", "route_not_allowed", 0)
        assert (await h.ask("/v1/usage", ADMIN_KEY)).json["total"]["attempts"] == 0


async def test_s4_43_s4_44_tenants_see_their_own_requests_and_an_administrator_everybodys(
    records_table: TomlTable,
) -> None:
    async with house(settings(records_table)) as h:
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


async def test_s4_43_pages_follow_each_other_by_cursor(records_table: TomlTable) -> None:
    async with house(settings(records_table)) as h:
        ids = [await chat(h, STATIC) for _ in range(5)]
        found: list[str] = []
        cursor = ""
        while cursor is not None:
            page = (await h.ask(f"{AUDIT}?limit=2" + (f"&cursor={cursor}" if cursor else ""), STATIC)).json
            found += [row["request_id"] for row in page["data"]]
            cursor = page["cursor"]
        assert found == ids[::-1]
        for query in ("cursor=nonsense", "limit=0", "limit=201", "limit=000000001000000", "since=never"):
            assert (await h.ask(f"{AUDIT}?{query}", STATIC)).code == "invalid_parameter"


@pytest.mark.parametrize(("scores", "told"), [(True, 0.25), (False, None)])
def test_who_attacks_does_not_learn_how_near_they_came(scores: bool, told: float | None) -> None:
    entry = msgspec.to_builtins(Entry(kind="terminal", request_id="r", injection_score=0.25, cost_nanousd=0))
    fields = {**entry, "writer": "w", "seq": 1}
    assert shown(Record("r", "acme", 1.0, fields), scores=scores).injection_score == told


async def test_what_is_no_request_is_not_in_the_audit(records_table: TomlTable) -> None:
    async with house(settings(records_table)) as h:
        assert (await h.ask("/v1/chat/completions", STATIC, "POST", model="gpt-4o")).status == 400
        assert (await h.ask(AUDIT, ADMIN_KEY)).json["data"] == []


async def test_a_refused_caller_is_in_the_audit(records_table: TomlTable) -> None:
    async with house(settings(records_table)) as h:
        await chat(h, "a key that nobody made")
        (row,) = (await h.ask(f"{AUDIT}?status=refused", ADMIN_KEY)).json["data"]
        assert (row["error"], row["tenant"], row["attempts"], row["cost_usd"]) == ("invalid_api_key", "", 0, "0")


SEALED = """
[stages.audit]
key = { env = "AUDIT_KEY" }
checkpoints = "notes"

[providers.echo]
kind = "echo"
models = ["echo"]
"""
PREVIOUS = 'previous_keys = [{ env = "OLD_KEY" }]'
Change: TypeAlias = Callable[[list[Record]], list[Record]]


def sealed(folder: Path, records: TomlTable) -> TomlTable:
    """A gateway that seals what it writes and notes how far that goes."""
    return {
        "records": records,
        "stages": {"audit": {"key": {"env": "AUDIT_KEY"}, "checkpoints": str(folder / "notes")}},
        "providers": {"echo": {"kind": "echo", "models": ["echo"]}},
    }


async def tampered(folder: Path, table: TomlTable, change: Change) -> list[Record]:
    """The records of a store with four of a gateway, after somebody who can write to it has changed them."""
    async with Gateway(settings_from(sealed(folder, table), environ={"AUDIT_KEY": KEY})) as gateway:
        for _ in range(4):
            await gateway.complete({"model": "echo", "messages": [{"role": "user", "content": "Hi"}]})
    kept = gateway.records
    async with opened(table) if kept.durable else nullcontext(kept) as records:
        written = await rows(records, TABLE, 4)
        assert await records.delete(TABLE, until=written[-1].at + 1) == 4
        changed = change(written)
        await records.append(TABLE, changed)
        return await rows(records, TABLE, len(changed))


def _edited(found: list[Record]) -> list[Record]:
    fields = {**found[1].fields, "model": "evil"}
    return [found[0], Record(found[1].id, found[1].tenant, found[1].at, fields), *found[2:]]


def _swapped(found: list[Record]) -> list[Record]:
    """Two records change places: ids and times stay, what they say does not."""
    one, other = found[1:3]
    exchanged = [Record(a.id, a.tenant, a.at, b.fields) for a, b in ((one, other), (other, one))]
    return [found[0], *exchanged, found[3]]


CHANGES: dict[str, Change] = {
    "none": lambda found: found,
    "edit": _edited,
    "reorder": _swapped,
    "delete": lambda found: [*found[:1], *found[2:]],
    "truncate": lambda found: found[:-1],
    "behead": lambda found: found[1:],
}


@pytest.mark.parametrize("change", CHANGES)
def test_p11_what_was_done_to_the_records_is_found(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records_table: TomlTable, change: str
) -> None:
    found = asyncio.run(tampered(tmp_path, records_table, CHANGES[change]))
    verified = verify(found, Keys(KEY.encode()), read(tmp_path / "notes", Keys(KEY.encode())))
    assert bool(verified.findings) is (change != "none"), verified
    if records_table["kind"] == "memory":  # ended with its gateway: no command can look at it
        return
    monkeypatch.setenv("AUDIT_KEY", KEY)
    lines = [f"{name} = {json.dumps(value)}" for name, value in records_table.items()]
    shown = sentinel("audit", "verify", config="\n".join(["[records]", *lines, SEALED]))
    assert (shown.code, shown.err) == (int(change != "none"), "")
    assert shown.out.splitlines()[-1] == ("as they were written" if change == "none" else "NOT as they were written")
    told = json.loads(sentinel("audit", "verify", "--json").out)
    assert (told["records"], len(told["findings"])) == (len(found), len(verified.findings))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("tenant = 'nobody'", "does not stand where it belongs"),
        ("record = '{bad'", "cannot be read"),
        ("record = '[]'", "cannot be read"),
    ],
)
def test_p11_a_row_that_somebody_edited_in_the_file_is_named(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, says: str
) -> None:
    table = sqlite_table(tmp_path)
    last = asyncio.run(tampered(tmp_path, table, CHANGES["none"]))[-1].id
    with closing(sqlite3.connect(table["path"])) as file, file:
        file.execute(f"UPDATE records SET {change} WHERE id = ?", [last])
    monkeypatch.setenv("AUDIT_KEY", KEY)
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    shown = sentinel("audit", "verify", config="\n".join(["[records]", *lines, SEALED]))
    assert (shown.code, shown.err) == (1, "")
    assert f"{last!r} {says}" in shown.out


def test_without_a_key_there_is_nothing_to_verify(sentinel: Sentinel) -> None:
    result = sentinel("audit", "verify", config="[stages.audit]\n")
    assert (result.code, "[stages.audit] key" in result.err) == (2, True)


@pytest.mark.parametrize("missing", ["store", "checkpoints"])
def test_where_not_everything_can_be_looked_at_nothing_is_said_to_be_edited(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    table = sqlite_table(tmp_path)
    asyncio.run(tampered(tmp_path, table, CHANGES["none"]))
    if missing == "store":
        table = {"kind": "redis", "port": free_port(), "spool": str(tmp_path / "none")}
    else:
        (tmp_path / "notes").unlink()
        (tmp_path / "notes").mkdir()
    monkeypatch.setenv("AUDIT_KEY", KEY)
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    shown = sentinel("audit", "verify", config="\n".join(["[records]", *lines, SEALED]))
    assert (shown.code, shown.out) == (3, "")
    assert shown.err.startswith("sentinel: ")


def test_a_result_that_cannot_be_printed_is_no_finding(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sqlite_table(tmp_path)
    asyncio.run(tampered(tmp_path, table, CHANGES["none"]))
    monkeypatch.setenv("AUDIT_KEY", KEY)
    monkeypatch.setattr("sys.stdout", Full())
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    shown = sentinel("audit", "verify", config="\n".join(["[records]", *lines, SEALED]))
    assert (shown.code, shown.err) == (4, CANNOT)


def test_after_a_change_of_the_key_both_the_old_and_the_new_records_verify(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sqlite_table(tmp_path)
    asyncio.run(tampered(tmp_path, table, CHANGES["none"]))
    monkeypatch.setenv("AUDIT_KEY", "another key of the tests")
    monkeypatch.setenv("OLD_KEY", KEY)
    lines = ["[records]", *(f"{name} = {json.dumps(value)}" for name, value in table.items()), SEALED]
    alone, changed = "\n".join(lines), "\n".join(lines).replace("[stages.audit]", f"[stages.audit]\n{PREVIOUS}")
    assert changed != alone
    assert sentinel("audit", "verify", config=alone).code == 1
    assert sentinel("audit", "verify", config=changed).code == 0

    async def more() -> None:
        async with Gateway.load(Path("sentinel.toml")) as gateway:
            await gateway.complete({"model": "echo", "messages": [{"role": "user", "content": "Hi"}]})

    asyncio.run(more())
    shown = sentinel("audit", "verify", config=changed)
    assert (shown.code, shown.out.splitlines()[0]) == (0, "5 records of 2 writers, 0 intents without an end")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('checkpoints = "notes"', "checkpoints: needs a key to sign them with"),
        (PREVIOUS, "previous_keys: needs a key that took their place"),
        (f'key = {{ env = "AUDIT_KEY" }}\n{PREVIOUS}', "previous_keys: each must be at least 16 characters"),
        ('guarantee = "required"\nretention_s = 3600', "retention_s: must be longer than lost_after_s, where"),
        ('key = { env = "OLD_KEY" }', "key: must be at least 16 characters"),
        ('guarantee = "perhaps"', "guarantee"),
        ("retention_s = 0", "retention_s"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch, lines: str, says: str
) -> None:
    monkeypatch.setenv("AUDIT_KEY", KEY)
    monkeypatch.setenv("OLD_KEY", "short")
    result = sentinel("check", config=f"[stages.audit]\n{lines}\n")
    assert (result.code, "stages.audit" in result.err, says in result.err) == (2, True, True), result.err
