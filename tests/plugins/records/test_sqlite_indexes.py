"""By which index rows are read: what budgets ask the ledger stands in one, so that a look at it reads no row."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sentinel_core.ledger import Payer
from sentinel_core.records import Record
from sentinel_plugins.records.sqlite import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.connect import reading
from sentinel_plugins.records.sqlite.opening import prepare
from sentinel_plugins.records.sqlite.schema import LEDGER
from sentinel_plugins.records.sqlite.store import SqliteRecords
from sentinel_plugins.usage.row import TABLE
from sentinel_plugins.usage.spent import Spent
from tests.plugins.records.opened import row, sqlite_table

TAKES_FROM_INDEX = (3, 40)
"""SQLite from this version on does not work out anew what an index has already."""
COST = 3**39
PAYERS = {
    "a tenant": (Payer("acme"), 4),
    "a key": (Payer("acme", "key", "k1"), 2),
    "a user": (Payer("acme", "user", "u1"), 2),
    "a caller": (Payer("acme", "principal", "k0"), 2),
    "some models": (Payer("acme", models=lambda model: model == "m1"), 2),
    "some models of a key": (Payer("acme", "key", "k1", lambda model: model == "m0"), 1),
}


def traced(folder: Path) -> tuple[SqliteRecords, list[str]]:
    """A store in this folder, and the queries that it will have asked of SQLite."""
    asked: list[str] = []

    def connect(config: SqliteRecordsConfig) -> sqlite3.Connection:
        connection = reading(config)
        connection.set_trace_callback(lambda sql: None if "PRAGMA" in sql else asked.append(sql))
        return connection

    config = SqliteRecordsConfig(**sqlite_table(folder))
    prepare(config)
    return SqliteRecords(config, connect_to_read=connect), asked


def indexes(folder: Path, sql: str) -> list[str]:
    """What a query reads the rows by."""
    with closing(sqlite3.connect(folder / "sentinel.db")) as connection:
        plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    return [re.split(" USING (?:COVERING )?INDEX ", step)[1].split()[0] for step in plan if " records " in step]


@pytest.mark.parametrize(("since", "until"), [(None, None), (0.0, 1_000.0)])
@pytest.mark.parametrize(("payer", "calls"), PAYERS.values(), ids=PAYERS)
async def test_a_look_at_the_ledger_reads_only_the_index(
    tmp_path: Path, payer: Payer, calls: int, since: float | None, until: float | None
) -> None:
    assert LEDGER == TABLE
    store, asked = traced(tmp_path)
    for number in range(4):
        key, user, model = f"k{number % 2}", f"u{number // 2}", f"m{number // 2}"
        call = row(number, principal=key, key=key, user=user, model=model, cost_nanousd=COST)
        await store.append(TABLE, [call, Record(f"{number}", "globex", call.at, call.fields)])
    assert await Spent().spent(store, payer, since, until) == calls * COST
    await store.close()

    (sql,) = asked
    assert indexes(tmp_path, sql) == ["records_spent"]
    if sqlite3.sqlite_version_info >= TAKES_FROM_INDEX:
        with closing(sqlite3.connect(tmp_path / "sentinel.db")) as connection:
            functions = [step[5] for step in connection.execute(f"EXPLAIN {sql}") if step[1] == "Function"]
        assert [name for name in functions if "json_extract" in name or "->" in name] == []


@pytest.mark.parametrize(("since", "until"), [(None, None), (0.0, None), (0.0, 1_000.0)])
@pytest.mark.parametrize(("tenant", "index"), [("acme", "records_by_tenant"), (None, "records_by_time")])
async def test_every_page_of_a_tenant_is_read_by_its_tenant(
    tmp_path: Path, tenant: str | None, index: str, since: float | None, until: float | None
) -> None:
    """The second one too, however many rows others have."""
    store, asked = traced(tmp_path)
    await store.append(TABLE, [row(number) for number in range(3)])
    page = await store.query(TABLE, tenant=tenant, since=since, until=until, limit=1)
    await store.query(TABLE, tenant=tenant, since=since, until=until, limit=1, cursor=page.cursor)
    await store.close()
    assert [indexes(tmp_path, sql) for sql in asked] == [[index], [index]]


async def test_a_call_without_a_price_or_with_no_number_for_one_costs_nothing(tmp_path: Path) -> None:
    config = SqliteRecordsConfig(**sqlite_table(tmp_path))
    async with SqliteRecords.open(config) as store:
        costs = [None, "7", 1.5, True, [7], 2**63 - 1, 2**63 - 1]
        await store.append(TABLE, [row(number, cost_nanousd=cost) for number, cost in enumerate(costs)])
        assert await Spent().spent(store, Payer("acme"), None, None) == 2 * (2**63 - 1)
