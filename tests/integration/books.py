"""The ledger of a run beside its meter, the audit and the budgets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sentinel_core.records import TENANT, Record, RecordStore
from sentinel_plugins.recording.lost import LOST
from tests.integration.chaos import IN, OUT, Asked, Run

GROUPS: tuple[tuple[str, ...], ...] = ((), ("key",), (TENANT,), ("model",), ("provider",), (TENANT, "key"))


async def rows_of(records: RecordStore, table: str) -> list[Record]:
    """All of them."""
    found: list[Record] = []
    cursor = None
    while True:
        page = await records.query(table, tenant=None, limit=500, cursor=cursor)
        found += page.records
        if (cursor := page.cursor) is None:
            return found


async def balance(records: RecordStore, run: Run) -> list[Record]:
    """Hold the ledger against the meter, row for row and in sums; its rows.

    A call that was announced and whose process was killed before it was made cannot be told from one that was made: it
    has a row as well, and nothing else has.
    """
    rows = await rows_of(records, "usage")
    by_request: dict[str, list[Record]] = {}
    for row in rows:
        by_request.setdefault(row.fields["request_id"], []).append(row)
    assert by_request.keys() <= {asked.id for asked in run.asked}
    for asked in run.asked:
        _one(asked, by_request.get(asked.id, []), run)
    total = sum(_cost(row) for row in rows)
    for group_by in GROUPS:
        groups = await records.aggregate("usage", tenant=None, group_by=group_by, sums=("cost_nanousd",))
        assert sum(group.sums[0] for group in groups) == total
    ends = await records.aggregate("audit", tenant=None, group_by=("request_id",), where={"kind": "terminal"})
    assert {group.count for group in ends} == {1}, "every request has one end in the audit"
    assert by_request.keys() <= {group.values[0] for group in ends}
    await records.append("usage", rows)
    assert len(await rows_of(records, "usage")) == len(rows), "applied twice is once"
    return rows


def _one(asked: Asked, rows: Sequence[Record], run: Run) -> None:
    calls = run.calls_of(asked.id)
    lost = [row for row in rows if row.fields["error"] == LOST]
    assert len(calls) <= len(rows) <= len(calls) + (1 if lost else 0), (asked, calls, rows)
    assert not lost or run.may_be_lost(asked), "only a process that was killed loses calls"
    assert {row.fields["provenance"] for row in lost} <= {"unknown"}
    told = Counter(_told(row) for row in rows if row.fields["ending"] == "completed")
    truth = Counter((call.provider, call.prompt, call.completion) for call in calls if call.sent)
    assert told <= truth, "nothing is said to be complete that was not sent"
    assert lost or asked.ended != "whole" or told == truth, "what a client has whole is there as the meter has it"
    for row in rows:
        if row.fields["ending"] == "completed":
            assert row.fields["provenance"] == "reported"


def _told(row: Record) -> tuple[str, int, int]:
    return row.fields["provider"], row.fields["prompt_tokens"], row.fields["completion_tokens"]


def _cost(row: Record) -> int:
    """What it says it cost: the price of its tokens."""
    cost: int = row.fields["cost_nanousd"]
    assert cost == row.fields["prompt_tokens"] * IN + row.fields["completion_tokens"] * OUT
    return cost


def spent_by(rows: Sequence[Record], key: str) -> int:
    """What the ledger says a key spent."""
    return sum(row.fields["cost_nanousd"] for row in rows if row.fields["key"] == key)
