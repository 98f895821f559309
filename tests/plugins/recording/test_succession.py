"""A journal that ends in an outage loses no row that somebody could still write."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from sentinel_core.testing import FakeClock
from sentinel_core.testing.fake_clock import settle
from sentinel_plugins.recording.journal import GROUP, Journal
from sentinel_plugins.recording.succession import CLOSE_S, _successions
from sentinel_plugins.recording.waiting import Group
from tests.plugins.recording.flaky import Flaky
from tests.plugins.recording.test_journal import rows
from tests.plugins.recording.written import emptied


class Scene:
    """Journals on one store, which end when a test says so."""

    def __init__(self) -> None:
        self.store = Flaky()
        self.clock = FakeClock()
        self._ends: dict[Journal, AsyncExitStack] = {}

    async def begin(self, table: str = "t", mark: str = "") -> Journal:
        """One that marks its rows when it finishes them."""

        def finish(records: Group) -> Group:
            return [type(record)(f"{record.id}{mark}", record.tenant, record.at, record.fields) for record in records]

        stack = AsyncExitStack()
        journal = await stack.enter_async_context(Journal(table, self.store, self.clock, finish=finish).open())
        self._ends[journal] = stack
        return journal

    async def ending(self, journal: Journal) -> asyncio.Task[None]:
        """It ends, as far as it can while the clock stands still."""
        task = asyncio.create_task(self._ends.pop(journal).aclose())
        await settle()
        return task


@pytest.fixture
def scene() -> Scene:
    """Nothing is open."""
    return Scene()


async def test_at_the_end_of_a_process_the_store_has_a_moment_to_come_back(scene: Scene) -> None:
    journal = await scene.begin()
    scene.store.down = True
    for record in rows(GROUP + 1):
        journal.add(record)
    ending = await scene.ending(journal)
    await scene.clock.advance(CLOSE_S / 2)
    assert not ending.done()
    scene.store.down = False
    await scene.clock.advance(CLOSE_S / 2)
    await ending
    assert await scene.store.ids("t") == [record.id for record in rows(GROUP + 1)]
    assert journal.dropped == 0


async def test_all_journals_of_a_process_have_that_moment_together(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    usage, audit = await scene.begin("usage"), await scene.begin("audit")
    scene.store.down = True
    for journal in (usage, audit):
        journal.add(rows(1)[0])
    ending = await scene.ending(audit)
    await scene.clock.advance(CLOSE_S)
    await ending
    await (await scene.ending(usage))  # the clock stands still
    assert (usage.dropped, audit.dropped) == (1, 1)
    assert [record.message for record in caplog.records if "not written" in record.message] == [
        f"{table}: 1 rows were not written: the store does not answer" for table in ("audit", "usage")
    ]


async def test_what_one_leaves_the_next_one_writes_as_it_was_finished(scene: Scene) -> None:
    old = await scene.begin(mark="-old")
    scene.store.down = True
    for record in rows(GROUP + 2):
        old.add(record)
    await old.caught_up()  # the first group is finished, and refused
    new = await scene.begin(mark="-new")
    old.dropped = 3
    new.add(rows(1, GROUP + 2)[0])
    await (await scene.ending(old))
    assert (len(new), new.dropped) == (GROUP + 3, 3)
    scene.store.down = False
    await scene.clock.advance(1)
    await emptied(new)
    written = [f"{record.id}-old" for record in rows(GROUP + 2)]
    assert await scene.store.ids("t") == [*written, f"{GROUP + 2:05}-new"]
    await (await scene.ending(new))


async def test_what_was_left_twice_is_written_too(scene: Scene) -> None:
    first = await scene.begin()
    scene.store.down = True
    first.add(rows(1)[0])
    second = await scene.begin()
    await (await scene.ending(first))
    third = await scene.begin()
    await (await scene.ending(second))
    scene.store.down = False
    await (await scene.ending(third))
    assert await scene.store.ids("t") == ["00000"]


async def test_nobody_writes_for_another_table_or_for_one_that_is_younger(scene: Scene) -> None:
    old, other = await scene.begin(), await scene.begin("other")
    young = await scene.begin()
    scene.store.down = True
    young.add(rows(1)[0])
    ending = await scene.ending(young)
    await scene.clock.advance(CLOSE_S)
    await ending
    assert (len(old), len(other), young.dropped) == (0, 0, 1)
    for journal in (old, other):
        await (await scene.ending(journal))
    assert id(scene.store) not in _successions
