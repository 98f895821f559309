"""Services that touch nothing."""

from __future__ import annotations

from typing import NoReturn

import pytest

from sentinel_core.dry_run import ClosedHttp, Overlay, UnwrittenRecords
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.records import Record
from sentinel_core.state import Budget, Claim, Lease, Settlement, Window
from sentinel_plugins.records.memory import MemoryRecords


async def test_an_overlay_reads_through_and_writes_nothing() -> None:
    base = Overlay()
    await base.set("t:a", b"1", ttl_s=60)
    await base.set("t:count", b"41", ttl_s=60)
    overlay = Overlay(base)

    assert await overlay.get("t:a") == b"1"
    await overlay.set("t:a", b"2", ttl_s=60)
    assert await overlay.get("t:a") == b"2"
    await overlay.delete("t:a")
    assert await overlay.get("t:a") is None
    assert await overlay.increment("t:count", ttl_s=60) == 42
    assert await overlay.increment("t:count", 2, ttl_s=60) == 44

    assert await base.get("t:a") == b"1"
    assert await base.get("t:count") == b"41"


async def test_claims_are_judged_each_on_its_own() -> None:
    overlay = Overlay()
    fits: list[Claim] = [Window("w", limit=2, period_s=60, cost=2), Lease("l", limit=1, ttl_s=5)]
    budget = Budget("b", limit_nanousd=10, reserve_nanousd=11, period="2026-11", ttl_s=5)

    assert (await overlay.admit("r1", fits)).admitted
    admission = await overlay.admit("r2", [*fits, budget])
    assert not admission.admitted
    assert [state.admitted for state in admission.claims] == [True, True, False]
    assert await overlay.settle("r1", Settlement()) == "settled"
    assert await overlay.settle("r1", Settlement()) == "unknown"


async def test_a_claim_is_judged_by_what_it_says_itself() -> None:
    burst = Window("w", limit=100, period_s=60, cost=11, algorithm="gcra", burst=10)
    spent = Budget("b", limit_nanousd=10, reserve_nanousd=5, period="2026-11", ttl_s=5, spent_nanousd=6)
    admission = await Overlay().admit("r", [burst, spent])
    assert [state.admitted for state in admission.claims] == [False, False]


async def test_nobody_hears_what_is_published() -> None:
    overlay = Overlay()
    async with overlay.subscribe("news") as messages:
        await overlay.publish("news", b"hello")
        assert [message async for message in messages] == []


async def test_records_are_never_written() -> None:
    records = UnwrittenRecords()
    await records.append("usage", [Record("1", "t", 0.0, {})])
    assert await records.get("usage", "t", "1") is None
    assert (await records.query("usage", tenant=None)).records == ()
    assert await records.put("keys", Record("1", "t", 0.0, {}), expect=None)
    assert await records.get("keys", "t", "1") is None
    assert await records.aggregate("usage", tenant=None) == ()


async def test_a_row_that_the_base_refuses_is_missed_as_one_without_a_base_is(monkeypatch: pytest.MonkeyPatch) -> None:
    base = MemoryRecords()

    async def refuse(*_: object) -> NoReturn:
        raise Refusal("ledger_unavailable", "Not now.")

    records, none = UnwrittenRecords(base), UnwrittenRecords(missing="none")
    assert await records.get("keys", "t", "1") is None
    assert await none.get("keys", "t", "1") is None
    assert (records.missed, none.missed) == (0, 1)
    monkeypatch.setattr(base, "get", refuse)
    with pytest.raises(Refusal):
        await records.get("keys", "t", "1")
    assert (records.missed, records.missing) == (1, "Not now.")


async def test_nothing_is_sent() -> None:
    async with ClosedHttp().pool(connections=1) as client:
        with pytest.raises(UpstreamError, match="dry run"):
            await client.send("POST", "http://192.0.2.1/", headers={})
