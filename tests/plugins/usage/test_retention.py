"""Rows of the ledger stay, unless the configuration says for how long."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable
from sentinel_core.records import Record
from sentinel_core.testing import FakeClock
from sentinel_core.testing.fake_clock import settle
from sentinel_plugins.recording.chore import between_looks_s
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.records.memory import MemoryRecords
from sentinel_plugins.usage.config import UsageConfig
from sentinel_plugins.usage.lost_calls import LostCalls
from sentinel_plugins.usage.retention import forget_old
from sentinel_plugins.usage.row import INTENTS, TABLE
from tests.plugins.wall import Wall

DAY_S = 86_400.0


async def test_old_rows_are_deleted_and_the_others_stay_until_they_are_old() -> None:
    records, clock = MemoryRecords(), FakeClock()
    now = clock.time()
    for name, age_s in (("old", DAY_S + 1.0), ("young", DAY_S - 1.0), ("new", 0.0)):
        await records.append(TABLE, [Record(name, "acme", now - age_s, {})])

    async def left() -> list[str]:
        return [record.id for record in (await records.query(TABLE, tenant=None)).records]

    job = asyncio.create_task(forget_old(records, clock, DAY_S, Witness()))
    await settle()
    assert await left() == ["new", "young"]
    await clock.advance(between_looks_s(DAY_S))
    assert await left() == ["new"]
    job.cancel()
    await asyncio.wait([job])


async def test_d06_a_clock_that_is_set_a_day_ahead_deletes_nothing_that_is_young() -> None:
    records, clock = MemoryRecords(), Wall()
    for age_s in (0.0, 2 * DAY_S):
        await records.append(TABLE, [Record(f"{age_s:.0f}", "acme", clock.time() - age_s, {})])
    job = asyncio.create_task(forget_old(records, clock, DAY_S, Witness()))
    await settle()
    for clock.ahead in (DAY_S, DAY_S, 0.0):
        await clock.advance(between_looks_s(DAY_S))
        assert [record.id for record in (await records.query(TABLE, tenant=None)).records] == ["0"]
    await clock.advance(DAY_S)
    assert (await records.query(TABLE, tenant=None)).records == (), "in its time"
    job.cancel()
    await asyncio.wait([job])


async def test_the_intent_of_a_row_goes_with_it_and_makes_no_other() -> None:
    records, clock = MemoryRecords(), FakeClock()
    call = Record("call:1:nonce", "acme", clock.time() - DAY_S - 1.0, {})
    for table in (TABLE, INTENTS):
        await records.append(table, [call])
    witness = Witness()
    lost = LostCalls(records, clock, 10.0, 10.0, witness)
    job = asyncio.create_task(forget_old(records, clock, DAY_S, witness))
    await settle()
    await clock.advance(10.0)
    await lost.adopt()
    for table in (TABLE, INTENTS):
        assert (await records.query(table, tenant=None)).records == ()
    job.cancel()
    await asyncio.wait([job])


@pytest.mark.parametrize(("table", "jobs"), [({}, 0), ({"retention_s": DAY_S}, 1)])
def test_rows_are_kept_for_ever_unless_somebody_asks(table: TomlTable, jobs: int) -> None:
    gateway = Gateway(settings_from({"stages": {"usage": table}, "providers": {"echo": {}}}))
    assert [job.name for job in gateway.blueprint.registry.jobs(gateway)].count("usage retention") == jobs


def test_a_row_is_not_deleted_before_its_call_could_be_taken_for_lost() -> None:
    with pytest.raises(msgspec.ValidationError, match="longer than lost_after_s"):
        msgspec.convert({"retention_s": 60.0, "lost_after_s": 60.0}, UsageConfig)
