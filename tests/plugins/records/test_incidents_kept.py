"""The ring of incidents on every record store (S3-19)."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core.records import Record, RecordStore
from sentinel_plugins.health.incidents import KEPT, TABLE, Incidents, IncidentType, incident
from sentinel_plugins.recording import one_page
from sentinel_plugins.records.sqlite import reads


async def test_s3_19_the_latest_five_hundred_are_kept(records: RecordStore) -> None:
    ring = Incidents(records)
    earlier = [incident("outage", float(number), "openai", "down") for number in range(KEPT)]
    await records.append(
        TABLE, [Record(one.id, "", float(at), msgspec.to_builtins(one)) for at, one in enumerate(earlier)]
    )
    for number in range(KEPT, KEPT + 10):
        kind: IncidentType = "recovery" if number % 2 else "failover_triggered"
        await ring.add(incident(kind, float(number), "openai", "answers"), float(number))
    kept = await ring.latest(KEPT)
    assert len(kept) == KEPT
    assert [one.id for one in kept[10:]] == [one.id for one in reversed(earlier[10:])]
    assert len(await ring.latest(KEPT, "recovery")) == 5
    assert (await records.aggregate(TABLE, tenant=""))[0].count == KEPT


async def test_incidents_that_fill_several_pages_are_all_kept(
    records: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (one_page, reads):
        monkeypatch.setattr(module, "PAGE_BYTES", 1)
    ring = Incidents(records)
    for number in range(3):
        await ring.add(incident("outage", float(number), "openai", f"number {number}"), float(number))
    assert [found.message for found in await ring.latest(9)] == ["number 2", "number 1", "number 0"]
    assert [found.message for found in await ring.latest(2)] == ["number 2", "number 1"]
