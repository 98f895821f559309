"""S04, P11: an intent without an end gets one, from whichever gateway lives, and no other gets two."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.records import Page, Record
from sentinel_core.testing import FakeClock, fake_services, opened
from sentinel_plugins.audit import Audit
from sentinel_plugins.audit.entry import EXCHANGE, TABLE
from sentinel_plugins.audit.lost_requests import LostRequests
from sentinel_plugins.audit.seal import Keys, Sealer
from sentinel_plugins.audit.stage import WITNESS
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.lost import LOST
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.records.memory import MemoryRecords
from tests.plugins.audit.verified import verify
from tests.plugins.recording.spooled import Spooled
from tests.plugins.recording.written import rows as written
from tests.plugins.usage.ledger import books
from tests.plugins.wall import Wall
from tests.properties import promised

KEYS = Keys(b"key-of-the-audit-for-tests")
LOST_AFTER_S = 10.0
OVER_AFTER_S = 7.0


class Writer:
    """One gateway's chain, and its look at everybody's."""

    def __init__(self, name: str, records: MemoryRecords, clock: FakeClock) -> None:
        self.journal = Journal(TABLE, records, clock, finish=Sealer(KEYS, name).seal)
        self.witness = Witness()
        self.looking = LostRequests(records, self.journal, clock, LOST_AFTER_S, OVER_AFTER_S, self.witness)
        self._clock = clock

    async def write(self, kind: str, request: str, tenant: str = "acme") -> None:
        fields: JsonObject = {"kind": kind, "request_id": request, "model": "m", "exchange": request}
        await self.journal.write(Record("", tenant, self._clock.time(), fields))


async def ends(records: MemoryRecords) -> dict[str, list[JsonValue]]:
    """The errors of all terminal records by request."""
    found: dict[str, list[JsonValue]] = {}
    for row in (await records.query(TABLE, tenant=None, where={"kind": "terminal"}, limit=1000)).records:
        found.setdefault(row.fields.get("request_id", ""), []).append(row.fields.get("error"))
    return found


async def test_s04_an_intent_without_an_end_gets_one_in_the_chain_of_a_gateway_that_lives() -> None:
    records, clock = MemoryRecords(), FakeClock()
    dead, one, two = (Writer(name, records, clock) for name in ("dead", "one", "two"))
    async with dead.journal.open(), one.journal.open(), two.journal.open():
        await dead.write("intent", "lost")
        await one.write("intent", "ended")
        await one.write("terminal", "ended")
        await clock.advance(LOST_AFTER_S + 2.0)
        await one.write("intent", "young")
        for writer in (one, two, one, two):
            await writer.looking.look()
            await clock.advance(0.0)
    assert await ends(records) == {"lost": [LOST], "ended": [None]}
    rows = (await records.query(TABLE, tenant=None)).records
    lost = next(row for row in rows if row.fields.get("error") == LOST)
    assert (lost.fields["status"], lost.fields["model"], lost.fields["writer"]) == ("failed", "m", "one")
    found = verify(rows, KEYS, None)
    assert (found.findings, found.unfinished) == ((), 1), "the young one"


async def test_s04_an_intent_that_comes_late_out_of_a_spool_is_ended_by_a_gateway_that_has_long_been_running() -> None:
    records, clock = MemoryRecords(), FakeClock()
    dead, one = Writer("dead", records, clock), Writer("one", records, clock)
    spooled = MemoryRecords()
    async with Journal(TABLE, spooled, clock, finish=Sealer(KEYS, "dead").seal).open() as spool:
        dead.journal = spool
        await dead.write("intent", "late")
    async with one.journal.open():
        for _ in range(20):
            await one.looking.look()
            await clock.advance(1.0)
        await records.append(TABLE, (await spooled.query(TABLE, tenant=None)).records)
        for _ in range(int(LOST_AFTER_S) + 1):
            await one.looking.look()
            await clock.advance(1.0)
    assert await ends(records) == {"late": [LOST]}


@pytest.mark.parametrize("own", [True, False])
async def test_s04_a_request_whose_end_waits_in_a_spool_gets_no_other(own: bool) -> None:
    """In this gateway's, or in one of which it cannot know."""
    records, clock = Spooled(), FakeClock()
    one = Writer("one", records, clock)
    begun, ended = (
        Record(kind, "acme", clock.time(), {"kind": kind, "request_id": "late", "exchange": "late"})
        for kind in ("intent", "terminal")
    )
    await records.append(TABLE, [begun])
    await clock.advance(2 * LOST_AFTER_S)
    async with one.journal.open():
        if own:
            records.waiting, records.down = [(TABLE, ended)], True
            for _ in range(3):
                with pytest.raises(Refusal, match="wait"):
                    await one.looking.look()
            records.down = False
        else:
            await one.looking.look()
            await records.append(TABLE, [ended])
        for _ in range(3):
            await one.looking.look()
            await clock.advance(1.0)
    assert await ends(records) == {"late": [None]}


async def test_s04_a_round_before_an_outage_is_none() -> None:
    records, clock = Spooled(), FakeClock()
    one = Writer("one", records, clock)
    async with one.journal.open():
        await one.write("intent", "open")
        await clock.advance(2 * LOST_AFTER_S)
        await one.looking.look()
        records.waiting, records.down = [("usage", Record("row", "acme", 1.0, {}))], True
        with pytest.raises(Refusal):
            await one.looking.look()
        records.down = False
        await one.looking.look()
        await one.write("terminal", "open")
        await one.looking.look()
    assert await ends(records) == {"open": [None]}


async def test_s04_a_process_finds_what_was_lost_before_it_though_it_lives_no_longer_than_a_request() -> None:
    records, clock = MemoryRecords(), Wall()
    async with Writer("dead", records, clock).journal.open() as journal:
        fields: JsonObject = {"kind": "intent", "request_id": "lost", "exchange": "lost"}
        await journal.write(Record("", "acme", clock.time(), fields))
    await clock.advance(LOST_AFTER_S)
    one = Writer("one", records, clock)
    async with one.journal.open():
        await clock.advance(OVER_AFTER_S - 1.0)
        for _ in range(2):
            await one.looking.look()
        assert await ends(records) == {}
        await clock.advance(1.0)
        for _ in range(2):
            await one.looking.look()
    assert await ends(records) == {"lost": [LOST]}


async def test_s04_a_gateway_knows_by_its_settings_when_what_ran_is_over() -> None:
    clock = FakeClock()
    fields: JsonObject = {"kind": "intent", "request_id": "lost", "exchange": "lost"}
    async with fake_services(clock) as services:
        await services.records.append(TABLE, [Record("", "acme", clock.time() - 7_200.0, fields)])
        async with opened(Audit, {"guarantee": "required"}, services):
            for _ in range(13):
                await clock.advance(60.0)
            found = await written(services.records, TABLE, 2)
    assert [row.fields.get("error") for row in found] == [None, LOST]


async def test_d06_a_clock_that_is_set_forward_gives_nothing_an_end_that_runs() -> None:
    """In this process, in another one, seen from one that starts behind the jump."""
    records, clock = MemoryRecords(), Wall()
    one, other = Writer("one", records, clock), Writer("other", records, clock)
    async with one.journal.open(), other.journal.open():
        await other.write("intent", "theirs")
        await one.write("intent", "mine")
        one.witness.running.add("mine")
        clock.ahead = 3_600.0
        late = Writer("late", records, clock)
        for _ in range(int(OVER_AFTER_S) - 1):
            await clock.advance(1.0)
            for writer in (one, other, late):
                await writer.looking.look()
        assert await ends(records) == {}
        await clock.advance(LOST_AFTER_S - OVER_AFTER_S + 2.0)
        for _ in range(3):
            await one.looking.look()
            await clock.advance(1.0)
    assert await ends(records) == {"theirs": [LOST]}


async def test_d06_an_end_is_read_that_is_dated_before_what_was_read_last() -> None:
    records, clock = MemoryRecords(), Wall()
    one = Writer("one", records, clock)
    async with one.journal.open():
        clock.ahead = 3_600.0
        await one.write("intent", "ended")
        await clock.advance(2.0)
        await one.looking.look()
        clock.ahead = 0.0
        fields: JsonObject = {"kind": "terminal", "request_id": "ended", "exchange": "ended"}
        await records.append(TABLE, [Record("end", "acme", clock.time(), fields)])
        for _ in range(2):
            await clock.advance(2.0)
            await one.looking.look()
        clock.ahead = 3_600.0
        await clock.advance(2 * LOST_AFTER_S)
        for _ in range(3):
            await one.looking.look()
            await clock.advance(1.0)
    assert await ends(records) == {"ended": [None]}


async def test_what_runs_is_known_until_its_end_is_taken_also_behind_a_reload() -> None:
    async with books(audit={"guarantee": "required"}) as b:
        witness = b.gateway.services.find(WITNESS)
        assert witness is not None
        async with b.gateway.stream({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}) as events:
            await anext(events)
            await b.gateway.reload()
            (intent,) = (await b.gateway.records.query(TABLE, tenant=None)).records
            assert witness.running == {intent.fields[EXCHANGE]}
            async for _ in events:
                pass
        await b.ask(stream=False)
        await b.rows()
        assert witness.running == set()


async def test_a_row_that_is_no_record_of_a_request_holds_up_no_other() -> None:
    records, clock = MemoryRecords(), FakeClock()
    dead, one = Writer("dead", records, clock), Writer("one", records, clock)
    async with dead.journal.open(), one.journal.open():
        await records.append(TABLE, [Record("x", "acme", clock.time(), {"exchange": ["a"]})])
        await records.append(TABLE, [Record("y", "acme", clock.time(), {"exchange": "b", "kind": "intent"})])
        await records.append(TABLE, [Record("z", "acme", clock.time(), {"exchange": "c"})])
        await dead.write("intent", "lost")
        await clock.advance(LOST_AFTER_S + 2.0)
        for _ in range(2):
            await one.looking.look()
    assert (await ends(records))["lost"] == [LOST]


class Scene:
    """Requests of a gateway that may die, and two that look."""

    def __init__(self) -> None:
        self.records, self.clock = MemoryRecords(), FakeClock()
        self.writers = [Writer(name, self.records, self.clock) for name in ("one", "two")]
        self.running: list[str] = []
        self.begun = 0

    async def step(self, step: str, which: int) -> None:
        if step == "begin":
            self.begun += 1
            self.running.append(str(self.begun))
            await self.writers[0].write("intent", self.running[-1])
        elif step == "end" and self.running:
            await self.writers[1].write("terminal", self.running.pop(which % len(self.running)))
        elif step == "look":
            await self.writers[which % 2].looking.look()
            await self.clock.advance(0.0)
        elif step == "wait":
            await self.clock.advance(which / 2)
            self.running = []  # nobody ends it any more


STEPS = st.tuples(st.sampled_from(["begin", "end", "look", "wait"]), st.integers(0, 30))


@promised()
@given(steps=st.lists(STEPS, max_size=30))
async def test_p11_every_request_has_one_end_whenever_it_is_looked_for(steps: list[tuple[str, int]]) -> None:
    scene = Scene()
    async with scene.writers[0].journal.open(), scene.writers[1].journal.open():
        for step, which in steps:
            await scene.step(step, which)
        await scene.clock.advance(2 * LOST_AFTER_S)
        for which in (0, 1, 0, 1):
            await scene.step("look", which)
    found = await ends(scene.records)
    assert {request: len(errors) for request, errors in found.items()} == {
        str(number + 1): 1 for number in range(scene.begun)
    }


Rows: TypeAlias = Sequence[Record]


class AnyPages(MemoryRecords):
    """A store that has an answer to each reading, page by page, and hears of whom it is asked one by one."""

    def __init__(self, readings: Iterable[Iterator[Rows]]) -> None:
        super().__init__()
        self._readings = iter(readings)
        self._pages: Iterator[Rows] = iter(())
        self.asked: set[str] = set()

    async def query(self, table: str, **asked: Any) -> Page:  # Any: as `RecordStore.query` has it
        """The next page; no row of whom it is asked."""
        if (where := asked.get("where")) is not None:
            self.asked.add(where[EXCHANGE])
            return Page((), None)
        if asked["cursor"] is None:
            self._pages = next(self._readings)
        rows = next(self._pages, ())
        return Page(tuple(rows), "more" if rows else None)


def paged(rows: Rows, size: int) -> Iterator[Rows]:
    """Rows in pages of that size."""
    return (rows[begin : begin + size] for begin in range(0, len(rows), size))


SIDES = [(exchange, kind) for exchange in "abc" for kind in ("intent", "terminal")]
READING = st.permutations([*SIDES, *((exchange, "terminal") for exchange in "abc")]).flatmap(
    lambda sides: st.integers(0, len(sides)).map(lambda size: sides[:size])
)


@promised()
@given(readings=st.lists(READING, max_size=3), size=st.integers(1, 9))
async def test_what_is_open_is_what_has_begun_and_not_ended_whatever_order_it_is_read_in(
    readings: list[list[tuple[str, str]]], size: int
) -> None:
    clock, open_ = FakeClock(), set[str]()
    rows = [
        [Record("", "acme", clock.time(), {EXCHANGE: exchange, "kind": kind}) for exchange, kind in sides]
        for sides in readings
    ]
    records = AnyPages([*(paged(reading, size) for reading in rows), iter(()), iter(())])
    looking = LostRequests(records, Journal(TABLE, records, clock), clock, LOST_AFTER_S, OVER_AFTER_S, Witness())
    for sides in readings:
        await looking.look()
        open_ |= {exchange for exchange, kind in sides if kind == "intent"}
        open_ -= {exchange for exchange, kind in sides if kind == "terminal"}
    assert not records.asked, "they are too young"
    await clock.advance(LOST_AFTER_S)
    await looking.look()
    assert not records.asked, "they have one more round"
    await looking.look()
    assert records.asked == open_


class Watched(Record, frozen=True, weakref=True):
    """A row of which one can tell whether it is still held."""


async def test_of_requests_that_ended_nothing_is_held_however_many_there_are() -> None:
    clock, held, most = FakeClock(), 0, 0

    def let_go() -> None:
        nonlocal held
        held -= 1

    def watched(exchange: str, kind: str) -> Record:
        nonlocal held
        row = Watched("", "acme", clock.time(), {EXCHANGE: exchange, "kind": kind})
        weakref.finalize(row, let_go)
        held += 1
        return row

    def pages() -> Iterator[Rows]:
        nonlocal most
        for page in range(20):
            yield [watched(f"{page}:{of}", kind) for of in range(10) for kind in ("terminal", "intent")]
            most = max(most, held)

    records = AnyPages([pages()])
    await LostRequests(records, Journal(TABLE, records, clock), clock, LOST_AFTER_S, OVER_AFTER_S, Witness()).look()
    assert most <= 2 * 20, "a page, and the one before it"
