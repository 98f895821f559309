"""Every record store against a naive model, in any order of writes, questions and retention (P4, P11)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, TypedDict, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)

from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.records import DAY, TENANT, Record, RecordStore
from sentinel_core.running import Running
from sentinel_plugins.recording import one_page
from sentinel_plugins.records.sqlite import reads
from tests.loops import Loop
from tests.plugins.records.naive_model import NaiveModel, text, whole
from tests.plugins.records.opened import Opener
from tests.properties import promised

T = TypeVar("T")

TENANTS = st.sampled_from(["acme", "globex", "", "é\x00"])
TIMES = st.sampled_from([0.0, 1.0, 1.5, 1762000000.123456, 86399.999999, 86400.0, 253402300799.0])
# What looks alike, and what is cut short, rounded or turned into something else on the way through a database.
LIKE = [None, True, False, 0, 1, 1.0, "1", "", "a", "a\x00b", "é\u2028", 0.1, 1e300, [1], {"deep": [True]}]
LARGE = [2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1]
VALUES = st.sampled_from(LIKE) | st.sampled_from(LARGE)
NAMES = ("model", "ok", "cost_nanousd")
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES)
IDS = st.sampled_from([f"id-{number}" for number in range(12)])
RECORDS = st.builds(Record, IDS, TENANTS, TIMES, FIELDS)
MOMENTS = st.none() | TIMES
CONDITIONS = st.fixed_dictionaries(
    {
        "tenant": st.none() | TENANTS,
        "where": st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=1),
        "since": MOMENTS,
        "until": MOMENTS,
    }
)
GROUPINGS = st.lists(st.sampled_from([TENANT, DAY, *NAMES]), max_size=3, unique=True)


class Conditions(TypedDict):
    """What `query` and `aggregate` are asked alike."""

    tenant: str | None
    where: JsonMapping
    since: float | None
    until: float | None


class RecordsMachine(RuleBasedStateMachine):
    """The store and the model answer every question alike. Each run has a table of its own."""

    pages: Bundle[tuple[Conditions, str, list[Record]]] = Bundle("pages")

    def __init__(self, loop: Loop, store: RecordStore, table: str, short: bool) -> None:
        super().__init__()
        self.short = short
        self.loop = loop
        self.store = store
        self.table = table
        self.model = NaiveModel()

    def run(self, step: Running[T]) -> T:
        return self.loop.run(step)

    @rule(records=st.lists(RECORDS, max_size=8))
    def append(self, records: list[Record]) -> None:
        self.run(self.store.append(self.table, records))
        self.model.append(records)

    @rule(record=RECORDS, fields=FIELDS, stale=st.booleans())
    def put(self, record: Record, fields: JsonObject, stale: bool) -> None:
        """In the place of what is there or, stale, of what never was."""
        present = self.model.rows.get(record.id)
        expect = None if stale else present
        place = present or record
        changed = Record(place.id, place.tenant, place.at, fields)
        if stale and present is not None:
            expect = Record(place.id, place.tenant, place.at, {**place.fields, "model": "another"})
        assert self.run(self.store.put(self.table, changed, expect=expect)) is self.model.put(changed, expect)

    @rule(id_=IDS, tenant=st.none() | TENANTS)
    def get(self, id_: str, tenant: str | None) -> None:
        found, there = self.run(self.store.get(self.table, tenant, id_)), self.model.rows.get(id_)
        expected = there if there is not None and tenant in (None, there.tenant) else None
        assert (found and whole(found)) == (expected and whole(expected))

    @rule(target=pages, asked=CONDITIONS, limit=st.integers(1, 4))
    def query(self, asked: Conditions, limit: int) -> MultipleResults[Any]:  # as Hypothesis has it
        return self.page(asked, None, self.model.matching(**asked), limit)

    @rule(target=pages, page=pages, limit=st.integers(1, 4))
    def turn(
        self, page: tuple[Conditions, str, list[Record]], limit: int
    ) -> MultipleResults[Any]:  # as Hypothesis has it
        """Go on where a page ended, whatever came or went meanwhile."""
        asked, cursor, (*_, last) = page
        behind = [r for r in self.model.matching(**asked) if (r.at, r.id) < (last.at, last.id)]
        return self.page(asked, cursor, behind, limit)

    def page(
        self, asked: Conditions, cursor: str | None, expected: list[Record], limit: int
    ) -> MultipleResults[Any]:  # as Hypothesis has it
        page = self.run(self.store.query(self.table, **asked, limit=limit, cursor=cursor))
        count = len(page.records)
        assert min(1, len(expected)) <= count <= limit, "a page of large rows may be shorter, but is none without rows"
        assert count == min(limit, len(expected)) or self.short
        assert list(map(whole, page.records)) == list(map(whole, expected[:count]))
        assert (page.cursor is not None) is (len(expected) > count)
        return multiple((asked, page.cursor, expected[:count])) if page.cursor else multiple()

    @rule(asked=CONDITIONS, group_by=GROUPINGS)
    def aggregate(self, asked: Conditions, group_by: list[str]) -> None:
        sums = ["cost_nanousd", "ok"]
        found = self.run(self.store.aggregate(self.table, **asked, group_by=group_by, sums=sums))
        totals = {text(list(group.values)): [group.count, *group.sums] for group in found}
        assert len(totals) == len(found)
        assert totals == self.model.groups(self.model.matching(**asked), group_by, sums)

    @rule(until=TIMES, ids=st.none() | st.lists(IDS, max_size=6))
    def delete(self, until: float, ids: list[str] | None) -> None:
        assert self.run(self.store.delete(self.table, until=until, ids=ids)) == self.model.delete(until, ids)


@pytest.mark.parametrize("short", [False, True])
def test_p4_a_store_answers_like_the_model(opener: Opener, short: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one to which very little is enough for a page."""
    for module in (one_page, reads) if short else ():
        monkeypatch.setattr(module, "PAGE_BYTES", 1)
    with Loop() as loop:
        opening = opener()
        store = loop.run(opening.__aenter__())
        tables: Iterator[int] = count()

        class Machine(RecordsMachine):
            def __init__(self) -> None:
                super().__init__(loop, store, f"table-{next(tables)}", short)

        try:
            run_state_machine_as_test(Machine, settings=promised(among=10))
        finally:
            loop.run(opening.__aexit__(None, None, None))
