"""Precision and recall by places."""

from __future__ import annotations

import io
import json
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Context
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, TomlTable, TomlValue
from sentinel_core.keys import FINDINGS, Finding
from sentinel_core.stage import Stage
from sentinel_plugins.guard_tools.dataset import Span
from sentinel_plugins.guard_tools.evaluate import evaluate
from sentinel_plugins.guard_tools.guards import Direction, opened
from sentinel_plugins.guard_tools.scan import scan
from sentinel_plugins.guard_tools.score import GuardScore
from sentinel_plugins.guard_tools.spans import SpanTally, TypeSpans
from sentinel_plugins.pii.stage import Pii
from sentinel_plugins.secrets.stage import Secrets
from tests.plugins.guard_tools.stages import Masks, gateway_of

STAFF = {"STAFF": {"pattern": r"E-\d{6}", "max_length": 8}}
MAIL = "ann@acme.com"


def span(text: str, value: str, kind: str) -> JsonObject:
    return {"start": text.index(value), "end": text.index(value) + len(value), "type": kind}


def row(text: str, **spans: str) -> JsonObject:
    return {"text": text, "spans": [span(text, value, kind) for kind, value in spans.items()]}


async def measured(*rows: JsonObject, as_: Direction = "request", **pii: TomlValue) -> GuardScore:
    data = io.BytesIO("\n".join(map(json.dumps, rows)).encode())
    async with opened(gateway_of(Pii, pii=pii)) as guards:
        found = await evaluate(guards, data, as_, lambda size: None)
    assert found.bad_rows == ()
    return found.guards[0]


async def test_places_of_shipped_kinds_and_of_your_own_are_compared_with_those_of_the_data_set() -> None:
    for direction in ("request", "response"):
        score = await measured(
            row(f"🙂 {MAIL} is E-123456", EMAIL_ADDRESS=MAIL, STAFF="E-123456"),
            row("Mr Jones is E-654321", PERSON="Jones", STAFF="E-654321"),
            row("write to bob@acme.com"),
            row("nothing here"),
            as_=direction,
            custom=STAFF,
        )
        places = score.places
        assert places is not None
        assert (places.spans, places.covered, places.exact, places.findings, places.right) == (4, 3, 3, 4, 3)
        assert (places.precision, places.recall) == (0.75, 0.75)
        assert places.types == {
            "EMAIL_ADDRESS": TypeSpans(1, 1, 1),
            "PERSON": TypeSpans(1, 0, 0),
            "STAFF": TypeSpans(2, 2, 2),
        }
        assert (score.true_positives, score.false_positives, score.true_negatives) == (2, 1, 1)  # by rows, from places
        assert {name: (one.rows, one.found) for name, one in score.entities.items()}["PERSON"] == (1, 1)


async def test_what_is_found_as_something_else_or_as_more_is_covered_and_not_exact() -> None:
    score = await measured(row(f"to {MAIL} now", DOMAIN="acme.com"), row(f"to {MAIL} now", MAIL="to ann@acme.com"))
    assert score.places is not None
    assert score.places.types == {"DOMAIN": TypeSpans(1, 1, 0), "MAIL": TypeSpans(1, 0, 0)}
    assert (score.places.findings, score.places.right) == (2, 2)


async def test_also_what_blocks_and_what_only_watches_has_its_places() -> None:
    tables: tuple[TomlTable, ...] = ({"action": "block"}, {"mode": "monitor"}, {"action": "warn"})
    for table in tables:
        score = await measured(row(f"to {MAIL}, bob@acme.com", MAIL=MAIL, MORE="bob@acme.com"), **table)
        assert score.places is not None
        assert (score.places.covered, score.places.right) == (2, 2)


async def test_a_guard_that_tells_no_places_has_none_and_neither_has_a_data_set_without() -> None:
    data = io.BytesIO(json.dumps(row("a secret", SECRET="secret")).encode())
    async with opened(gateway_of(Masks)) as guards:
        (score,) = (await evaluate(guards, data, "request", lambda size: None)).guards
    assert (score.true_positives, score.places) == (1, None)
    assert (await measured({"text": MAIL, "label": True})).places is None


class Listened(Stage):
    """Notes whether somebody listens."""

    name: ClassVar[str] = "listened"
    guard = True
    heard: ClassVar[list[bool]] = []

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Note it."""
        self.heard.append(FINDINGS in ctx)


async def test_latencies_are_those_of_a_guard_that_nobody_asks_for_places() -> None:
    data = b"\n".join(json.dumps(one).encode() for one in ({"text": "a", "label": False}, row("b", B="b")))
    async with opened(gateway_of(Listened)) as guards:
        await evaluate(guards, io.BytesIO(data), "request", lambda size: None)
    assert Listened.heard == [False, False, True]  # the second row is asked again, once its time was taken


async def test_a_scan_tells_types_and_places() -> None:
    tables = {"pii": {"custom": STAFF, "actions": {"STAFF": "warn"}}, "secrets": {}}
    async with opened(gateway_of(Pii, Secrets, **tables)) as guards:
        found = await scan(guards, "f", f"one\n\n{MAIL} E-123456", "request")
    pii, secrets = found.guards
    assert [(one.type, one.action, one.line, one.start, one.end) for one in pii.findings] == [
        ("EMAIL_ADDRESS", "redact", 3, 5, 17),
        ("STAFF", "warn", 3, 18, 26),
    ]
    assert (secrets.result, secrets.findings) == ("allowed", ())


PLACES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from("AB")).map(
        lambda at: (at[0], at[0] + at[1], at[2])
    ),
    max_size=6,
)


@given(PLACES, PLACES)
def test_shares_are_those_of_a_plain_count(
    given_: list[tuple[int, int, str]], found: list[tuple[int, int, str]]
) -> None:
    tally = SpanTally()
    tally.add([Span(*one) for one in given_], [Finding("g", (), *one, "redact") for one in found])
    score = tally.score()

    def overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
        return max(one[0], other[0]) < min(one[1], other[1])

    def covered(one: tuple[int, int, str]) -> bool:
        return all(any(start <= at < end for start, end, _ in found) for at in range(one[0], one[1]))

    assert (score.spans, score.findings) == (len(given_), len(found))
    assert score.right == sum(any(overlap(one, other) for other in given_) for one in found)
    assert score.covered == sum(map(covered, given_))
    assert score.exact == sum(one in found for one in given_)
