"""R06, R11: a state store that forgets, is emptied or dies with its process forgets no money: the ledger has it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.json_types import TomlTable
from sentinel_core.records import Group
from sentinel_plugins.records.sqlite import SqliteRecords
from tests.integration.budgeted import COST, house
from tests.long_form import long_form
from tests.redis.server import RedisServer

MEMORY: TomlTable = {"kind": "memory"}


@pytest.fixture
def shared(redis_server: RedisServer) -> TomlTable:
    """A table of state on a real server."""
    return {"kind": "redis", "host": "127.0.0.1", "port": redis_server.port, "timeout_s": 10.0}


def evict(server: RedisServer, kind: str) -> int:
    """Remove every key of one kind, as a server without memory does."""
    names = server.ask("KEYS", f"sentinel:{kind}:*")
    return int(server.ask("UNLINK", *names))


async def test_r11_after_flushall_a_budget_goes_on_where_the_ledger_is(
    tmp_path: Path, shared: TomlTable, redis_server: RedisServer
) -> None:
    async with house(tmp_path, shared, calls=3) as h:
        assert [await h.ask() for _ in range(2)] == [None, None]
        assert await h.ledger() == 2 * COST
        redis_server.ask("FLUSHALL")
        assert [await h.ask() for _ in range(2)] == [None, "insufficient_quota"]
        assert await h.ledger() == await h.spent() == 3 * COST


async def test_r06_a_budget_whose_key_was_evicted_goes_on_with_what_is_reserved(
    tmp_path: Path, shared: TomlTable, redis_server: RedisServer
) -> None:
    async with house(tmp_path, shared, calls=3) as h:
        assert await h.ask() is None
        await h.ledger()
        async with h.exchange():
            h.calls += 1
            assert evict(redis_server, "budget") == 1
            assert [await h.ask() for _ in range(2)] == [None, "insufficient_quota"], "one is spent, one is reserved"
        assert await h.ledger() == await h.spent() == 3 * COST


async def test_r06_who_runs_while_all_is_lost_is_charged_once(
    tmp_path: Path, shared: TomlTable, redis_server: RedisServer
) -> None:
    async with house(tmp_path, shared, calls=9) as h:
        async with h.exchange(), h.exchange():
            h.calls += 2
            redis_server.ask("FLUSHALL")
            assert await h.ask() is None
        assert await h.ledger() == await h.spent() == 3 * COST


async def test_r11_of_many_at_once_after_flushall_as_many_pass_as_the_ledger_leaves_room_for(
    tmp_path: Path, shared: TomlTable, redis_server: RedisServer
) -> None:
    async with house(tmp_path, shared, calls=100) as one, house(tmp_path, shared, calls=100) as two:
        first = await asyncio.gather(*(h.ask() for h in (one, two) for _ in range(20)))
        two.calls += one.calls
        assert await two.ledger() == 40 * COST
        redis_server.ask("FLUSHALL")
        second = await asyncio.gather(*(h.ask() for h in (one, two) for _ in range(100)))
        assert [*first, *second].count(None) == 100


@long_form
async def test_a_process_that_starts_again_on_memory_begins_with_what_its_ledger_says(tmp_path: Path) -> None:
    codes = []
    for _ in range(3):
        async with house(tmp_path, MEMORY, calls=2) as h:
            codes.append(await h.ask())
    assert codes == [None, None, "insufficient_quota"]


@long_form
async def test_r06_a_budget_that_memory_has_no_room_for_begins_with_what_the_ledger_says(tmp_path: Path) -> None:
    async with house(tmp_path, {"kind": "memory", "max_entries": 1}, calls=2, daily_usd=1.0) as h:
        codes = []
        for _ in range(3):
            codes.append(await h.ask())
            await h.ledger()
        assert codes == [None, None, "insufficient_quota"], "two accounts, and room for one of them"


class Counting:
    """How often the ledger is read, and whether it can be."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.reads = 0
        self.readable = True
        read = SqliteRecords.aggregate

        async def counted(records: SqliteRecords, table: str, **asked: Any) -> Sequence[Group]:  # Any: as `aggregate`
            self.reads += 1
            if not self.readable:
                raise Refusal("ledger_unavailable")
            return await read(records, table, **asked)

        patch.setattr(SqliteRecords, "aggregate", counted)


async def test_the_ledger_is_read_once_for_all_who_ask_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Counting(monkeypatch)
    async with house(tmp_path, MEMORY, calls=1_000) as h:
        for _ in range(3):
            assert await asyncio.gather(*(h.ask() for _ in range(50))) == [None] * 50
    assert reads.reads == 1


async def test_r13_a_budget_that_nobody_knows_is_closed_while_the_ledger_cannot_be_read(
    tmp_path: Path, shared: TomlTable, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Counting(monkeypatch)
    async with house(tmp_path, shared, calls=9) as h:
        ledger.readable = False
        assert await h.ask() == "ledger_unavailable"
        ledger.readable = True
        assert await h.ask() is None
        ledger.readable = False
        assert await h.ask() is None, "the state store knows it: nobody asks the ledger"
        redis_server.ask("FLUSHALL")
        async with house(tmp_path, shared, calls=9) as other:
            assert await other.ask() == "ledger_unavailable"
        ledger.readable = True
        assert await h.ask() is None
