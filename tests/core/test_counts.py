"""Counts: one name is one family, what callers write makes none, and outages are told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sentinel_core.counts import MOST, OTHER, Counts, Outages
from sentinel_core.services import Services
from sentinel_core.testing import fake_services
from sentinel_plugins.records.memory import MemoryRecords


def read(counts: Counts) -> dict[str, dict[tuple[str, ...], int]]:
    return {family.name: dict(family.read()) for family in counts}


def test_the_same_name_is_the_same_family() -> None:
    counts = Counts()
    for _ in range(2):  # as a stage that is opened again by a reload
        counts.family("calls", "Calls", "provider", "outcome").of("a", "completed").value += 1
        counts.count("rows", "Rows").value += 2
    assert read(counts) == {"calls": {("a", "completed"): 2}, "rows": {(): 4}}
    with pytest.raises(ValueError, match="calls is counted by"):
        counts.family("calls", "Calls", "provider")
    with pytest.raises(ValueError, match="2 labels, not 1"):
        counts.family("calls", "Calls", "provider", "outcome").of("a")


def test_l11_no_set_of_values_makes_a_family_grow_without_end() -> None:
    family = Counts().family("calls", "Calls", "model", "outcome")
    for number in range(3 * MOST):
        family.of(f"model-{number}", "completed").value += 1
    found = dict(family.read())
    assert len(found) == MOST + 1
    assert found[OTHER, OTHER] == 2 * MOST
    assert sum(found.values()) == 3 * MOST


async def test_what_a_store_counts_for_itself_is_among_the_counts_of_the_process() -> None:
    store, counts = MemoryRecords(), Counts()
    counts.include(store)  # which counts nothing
    part = Counts()

    class Part:
        counts = part

    counts.include(Part())
    part.count("spooled", "Rows").value += 1
    assert read(counts) == {"spooled": {(): 1}}
    async with fake_services() as services:
        assert isinstance(services, Services)
        assert read(services.counts) == {}


def test_an_outage_is_news_to_one_and_counted_once_whoever_notices() -> None:
    counts = Counts()
    outages = Outages(counts, "state")
    assert not outages.end()
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: outages.begin(), range(200))) == 1
        assert outages.now
        assert sum(threads.map(lambda _: outages.end(), range(200))) == 1
    assert not outages.now
    assert read(counts) == {"state_degraded": {(): 1}, "state_recovered": {(): 1}}
