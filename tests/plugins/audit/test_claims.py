"""Who ended a lost request is remembered for as long as its records are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sentinel_core.records import Record
from sentinel_core.testing import FakeClock, fake_services
from sentinel_plugins.audit.checkpoints import Checkpoints
from sentinel_plugins.audit.entry import CLAIMS, TABLE
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.audit.seal import Keys, Sealer
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.records.memory import MemoryRecords


async def test_claims_go_with_the_records_that_they_are_about() -> None:
    records, clock = MemoryRecords(), FakeClock()
    now = clock.time()
    for name, at in (("old", now - 101.0), ("young", now - 99.0)):
        await records.append(CLAIMS, [Record(name, "acme", at, {})])
    await Retention(records, clock, 100.0, None, Witness()).forget()
    page = await records.query(CLAIMS, tenant=None)
    assert [record.id for record in page.records] == ["young"]


async def test_the_claim_of_a_record_that_stays_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both came while what is old was deleted: without its claim a request could be ended twice."""
    records, clock, keys = MemoryRecords(), FakeClock(), Keys(b"a key of the tests")
    old = clock.time() - 101.0
    noted = Checkpoints.note
    first, late = (Sealer(keys, writer).seal([Record("", "acme", old, {})]) for writer in ("v", "w"))
    await records.append(TABLE, first)
    await records.append(CLAIMS, [Record("first", "acme", old, {})])

    async def interrupted(self: Checkpoints, *what: Any) -> bool:  # as there
        await records.append(TABLE, late)
        await records.append(CLAIMS, [Record("late", "acme", old, {})])
        return await noted(self, *what)

    monkeypatch.setattr(Checkpoints, "note", interrupted)
    async with fake_services() as services:
        await Retention(
            records, clock, 100.0, Checkpoints(tmp_path / "notes", keys, services.executor), Witness()
        ).forget()
    assert (await records.query(TABLE, tenant=None)).records == tuple(late)
    assert [claim.id for claim in (await records.query(CLAIMS, tenant=None)).records] == ["late"]
