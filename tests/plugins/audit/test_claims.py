"""Who ended a lost request is remembered for as long as its records are."""

from __future__ import annotations

from sentinel_core.records import Record
from sentinel_core.testing import FakeClock
from sentinel_plugins.audit.entry import CLAIMS
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.records.memory import MemoryRecords


async def test_claims_go_with_the_records_that_they_are_about() -> None:
    records, clock = MemoryRecords(), FakeClock()
    now = clock.time()
    for name, at in (("old", now - 101.0), ("young", now - 99.0)):
        await records.append(CLAIMS, [Record(name, "acme", at, {})])
    await Retention(records, clock, 100.0, None).forget()
    page = await records.query(CLAIMS, tenant=None)
    assert [record.id for record in page.records] == ["young"]
