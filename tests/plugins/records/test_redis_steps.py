"""One answer of the server is not larger than can come in time, whatever the rows hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sentinel_core.records import Record, RecordStore
from sentinel_plugins.records.redis import server, table
from sentinel_plugins.redis.wire import Reply
from tests.plugins.records.opened import redis, row
from tests.redis.server import RedisServer, running_server

TABLE = "audit"
ENOUGH = 10_000
LARGE = 2_000
AT_ONCE = 16
"""Rows that are read before anybody looks how large they are."""


@pytest.fixture
def own(redis_binary: str, tmp_path: Path) -> Iterator[RedisServer]:
    """A server of one's own."""
    with running_server(redis_binary, tmp_path) as running:
        yield running


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How large all answers were."""
    sizes: list[int] = []
    answer = server._answer

    def measured(reply: Reply) -> Any:  # as there
        sizes.append(_size(reply))
        return answer(reply)

    monkeypatch.setattr(server, "_answer", measured)
    monkeypatch.setattr(table, "STEP_BYTES", ENOUGH)
    return sizes


def _size(answer: object) -> int:
    if isinstance(answer, list):
        return sum(map(_size, answer))
    return len(answer) if isinstance(answer, bytes) else 0


async def queried(store: RecordStore, tenant: str | None) -> Sequence[Record]:
    """The newest rows of which a field is as wanted."""
    return (await store.query(TABLE, tenant=tenant, where={"kind": "terminal"}, limit=1_000)).records


async def test_large_rows_are_read_a_few_at_a_time(own: RedisServer, tmp_path: Path, answers: list[int]) -> None:
    rows = [
        row(number, tenant=f"t{number % 3}", kind="terminal", cost=1, text="x" * (LARGE if number < 180 else 1))
        for number in range(240)
    ]
    newest = tuple(reversed(rows))
    async with redis(own, tmp_path) as store:
        await store.append(TABLE, rows)
        assert await queried(store, None) == newest
        assert await queried(store, "t1") == tuple(record for record in newest if record.tenant == "t1")
        assert [stored.record async for stored in store.scan(TABLE)] == [*newest]
        (total,) = await store.aggregate(TABLE, tenant=None, sums=["cost"])
        assert total.sums == (len(rows),)
        assert await store.delete(TABLE, until=240.0) == len(rows)
    assert 0 < max(answers) < ENOUGH + AT_ONCE * (LARGE + 200)


async def test_a_row_that_is_larger_than_any_step_is_read(own: RedisServer, tmp_path: Path, answers: list[int]) -> None:
    rows = [row(number, kind="terminal", text="x" * 2 * ENOUGH) for number in range(20)]
    async with redis(own, tmp_path) as store:
        await store.append(TABLE, rows)
        assert await queried(store, None) == await queried(store, "acme") == tuple(reversed(rows))
    assert max(answers) < AT_ONCE * (2 * ENOUGH + 200)
