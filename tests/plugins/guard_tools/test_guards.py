"""Any guard of a configuration says what it would do with a text, and nobody is called."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import ConfigError
from sentinel_core.keys import VerdictResult
from sentinel_plugins.guard_tools.dataset import BadRow, Row, lines
from sentinel_plugins.guard_tools.evaluate import evaluate, progress
from sentinel_plugins.guard_tools.guards import Asked, Checked, Direction, opened
from sentinel_plugins.guard_tools.scan import scan
from sentinel_plugins.guard_tools.score import percentile_ms
from tests.json_values import json_values
from tests.plugins.guard_tools.stages import Blocks, Masks, Passes, gateway_of

GUARDS = (Passes, Blocks, Masks)


@pytest.mark.parametrize(
    ("guard", "text", "direction", "result", "left"),
    [
        ("masks", "a secret", "request", "masked", "a ***"),
        ("masks", "a secret", "response", "masked", "a ***"),
        ("masks", "hello", "response", "allowed", "hello"),
        ("blocks", "a bomb", "request", "blocked", None),
        ("blocks", "a knife", "request", "monitored", "a knife"),
        ("blocks", "a joke", "request", "blocked", None),
        ("blocks", "crash", "request", "error", None),
        ("blocks", "a secret", "request", "allowed", "a secret"),
        ("blocks", "a bomb", "response", "not_evaluated", "a bomb"),
    ],
)
async def test_each_guard_is_asked_by_itself(
    guard: str, text: str, direction: Direction, result: str, left: str | None
) -> None:
    async with opened(gateway_of(*GUARDS)) as guards:
        assert guards.names == ("blocks", "masks")
        checked = await guards.check(guard, Asked.of(text, direction))
    assert (checked.result, checked.text) == (result, left)
    assert checked.seconds > 0


@pytest.mark.parametrize("result", ["partial", "error", "not_evaluated"])
def test_a_guard_that_did_not_see_everything_has_found_neither_something_nor_nothing(result: VerdictResult) -> None:
    assert Checked("g", result, 0.0, None).acted is None


@pytest.mark.parametrize("direction", ["request", "response"])
async def test_a_guard_that_only_monitors_says_what_it_would_have_found(direction: Direction) -> None:
    async with opened(gateway_of(Masks, masks={"mode": "monitor"})) as guards:
        checked = await guards.check("masks", Asked.of("a secret", direction))
        assert (checked.result, checked.acted, checked.text) == ("monitored", True, "a secret")
        assert (await guards.check("masks", Asked.of("hello", direction))).acted is False


async def test_without_a_guard_or_of_an_unknown_name_it_says_what_there_is() -> None:
    with pytest.raises(ConfigError, match="no guard is enabled"):
        async with opened(gateway_of(Passes)):
            pass
    with pytest.raises(ConfigError, match="no guard 'passes' in the chain; expected blocks, masks"):
        async with opened(gateway_of(*GUARDS), ["passes"]):
            pass


def rows(*items: Any) -> io.BytesIO:  # JSON, or bytes as they are
    return io.BytesIO(b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items))


async def test_rows_are_counted_by_their_truth_and_what_was_said() -> None:
    data = rows(
        {"text": "a bomb", "label": True},
        {"text": "a knife", "label": ["WEAPON", "WEAPON"], "id": 7},
        {"text": "a gun", "label": ["WEAPON"]},
        {"text": "bomb disposal", "label": False},
        {"text": "hello", "label": []},
        {"text": "crash", "label": True},
    )
    done: list[int] = []
    async with opened(gateway_of(*GUARDS), ["blocks"]) as guards:
        found = await evaluate(guards, data, "request", done.append)
    (score,) = found.guards
    assert (found.rows, found.bad_rows, sum(done)) == (6, (), len(data.getvalue()))
    assert (score.true_positives, score.false_positives) == (2, 1)
    assert (score.false_negatives, score.true_negatives, score.unmeasured) == (1, 1, 1)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(2 / 3)
    assert {name: (one.rows, one.found) for name, one in score.entities.items()} == {"WEAPON": (2, 1)}
    assert score.p50_ms is not None
    assert score.p95_ms is not None
    assert 0 < score.p50_ms <= score.p95_ms


async def test_a_guard_that_failed_on_every_row_has_no_shares() -> None:
    async with opened(gateway_of(Blocks)) as guards:
        found = await evaluate(guards, rows({"text": "crash", "label": True}), "request", print)
    assert (found.guards[0].unmeasured, found.guards[0].precision, found.guards[0].p95_ms) == (1, None, None)


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"[]",
        b'{"text": "x"}',
        b'{"label": true}',
        b'{"text": 1, "label": true}',
        b'{"text": "x", "label": 1}',
        b'{"text": "x", "label": [1]}',
        b'{"text": "x", "label": null}',
        b'{"text": "x", "spans": true}',
        b'{"text": "x", "spans": [{"start": 0, "end": 1}]}',
        b'{"text": "x", "spans": [{"start": -1, "end": 1, "type": "X"}]}',
        b'{"text": "x", "spans": [{"start": 0, "end": 2, "type": "X"}]}',
        b'{"text": "x", "spans": [{"start": 1, "end": 1, "type": "X"}]}',
        b'{"text": "x", "label": false, "spans": [{"start": 0, "end": 1, "type": "X"}]}',
        b'{"text": "x", "label": [], "spans": [{"start": 0, "end": 1, "type": "X"}]}',
        b'{"text": "x", "label": true, "spans": []}',
        b'{"text": "\xff", "label": true}',
        b'{"text": "x", "label": true, "x": ' + b"[" * 100_000,
    ],
)
def test_a_bad_row_is_told_with_its_line_and_without_its_text(line: bytes) -> None:
    found = [one.row for one in lines(rows({"text": "a", "label": True}, b"", line, {"text": "b", "label": False}))]
    assert [type(row) for row in found] == [Row, BadRow, Row]
    assert isinstance(found[1], BadRow)
    assert found[1].line == 3
    assert found[1].problem


@given(st.lists(st.binary(max_size=12) | json_values(st.text(max_size=3), st.sampled_from(["text", "label"]))))
def test_no_line_is_lost_whatever_it_holds(items: list[Any]) -> None:  # JSON, or bytes as they are
    data = rows(*items).getvalue()
    kept = [line for line in data.split(b"\n") if line and not line.isspace()]
    found = list(lines(io.BytesIO(data)))
    assert len(found) == len(kept)
    assert all(data.split(b"\n")[one.number - 1] == line for one, line in zip(found, kept, strict=True))


@given(st.lists(st.floats(0, 10), min_size=1).map(sorted), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(ordered: list[float], share: float) -> None:
    found = percentile_ms(ordered, share)
    assert found == min(one for one in ordered if sum(x <= one for x in ordered) >= share * len(ordered)) * 1000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("errors", "shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_a_bar_is_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, errors: io.StringIO, shown: bool
) -> None:
    (tmp_path / "rows").write_bytes(b"x" * 100)
    monkeypatch.setattr(sys, "stderr", errors)
    with (tmp_path / "rows").open("rb") as file, progress(file) as advance:
        advance(100)
    assert ("100%" in errors.getvalue()) is shown
    assert bool(errors.getvalue()) is shown


async def test_a_scan_names_lines_and_nothing_of_them() -> None:
    async with opened(gateway_of(*GUARDS)) as guards:
        found = await scan(guards, "f", "one\na secret\nsecret", "request")
        assert {seen.guard: (seen.result, seen.lines) for seen in found.guards} == {
            "blocks": ("allowed", ()),
            "masks": ("masked", (2, 3)),
        }
        assert found.result == "found"
        assert (await scan(guards, "f", "hello", "request")).result == "clean"
        assert (await scan(guards, "f", "crash", "request")).result == "incomplete"
        assert (await scan(guards, "f", "crash secret", "request")).result == "found"
