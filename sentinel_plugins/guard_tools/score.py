"""How well a guard did, and how fast it was."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from sentinel_plugins.guard_tools.dataset import BadRow, Row
from sentinel_plugins.guard_tools.guards import Checked, Direction
from sentinel_plugins.guard_tools.share import share
from sentinel_plugins.guard_tools.spans import SpanScore, SpanTally


class Found(msgspec.Struct, frozen=True):
    """Of the rows that hold an entity, in how many the guard found something."""

    rows: int
    found: int


class GuardScore(msgspec.Struct, frozen=True, kw_only=True):
    """One guard's confusion table and what follows from it. A share of nothing is null. `unmeasured` rows are those on
    which the guard failed or was not asked; they are in no share. Latencies are milliseconds of its own time."""

    guard: str
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    unmeasured: int
    precision: float | None
    recall: float | None
    p50_ms: float | None
    p95_ms: float | None
    entities: Mapping[str, Found]
    places: SpanScore | None
    """Null where no row gives places, or where the guard tells none."""


class Evaluation(msgspec.Struct, frozen=True):
    """What `sentinel guard eval` says. `rows` are those that could be read."""

    direction: Direction
    rows: int
    bad_rows: tuple[BadRow, ...]
    guards: tuple[GuardScore, ...]
    unasked: tuple[str, ...] = ()
    """Guards that read no texts of this direction. They were not asked."""


class Tally:
    """Counts what one guard said of row after row."""

    def __init__(self, guard: str) -> None:
        self._guard = guard
        self._cells = {(truth, said): 0 for truth in (True, False) for said in (True, False, None)}
        self._seconds = array("d")
        self._entities: dict[str, list[int]] = {}
        self._places: SpanTally | None = None
        self._acts = self._tells = False

    def add(self, row: Row, checked: Checked) -> None:
        """One row more."""
        said = checked.acted
        self._cells[row.positive, said] += 1
        if said is None:
            return
        self._seconds.append(checked.seconds)
        self._acts, self._tells = self._acts or said, self._tells or bool(checked.findings)
        if row.spans is not UNSET:
            self._places = self._places or SpanTally()
            self._places.add(row.spans, checked.findings)
        for name in row.entities:
            counts = self._entities.setdefault(name, [0, 0])
            counts[0] += 1
            counts[1] += said

    def score(self) -> GuardScore:
        """What it comes to."""
        cells, ordered = self._cells, sorted(self._seconds)
        hits, false_alarms, misses = cells[True, True], cells[False, True], cells[True, False]
        return GuardScore(
            guard=self._guard,
            true_positives=hits,
            false_positives=false_alarms,
            false_negatives=misses,
            true_negatives=cells[False, False],
            unmeasured=cells[True, None] + cells[False, None],
            precision=share(hits, hits + false_alarms),
            recall=share(hits, hits + misses),
            p50_ms=percentile_ms(ordered, 0.5),
            p95_ms=percentile_ms(ordered, 0.95),
            entities={name: Found(rows, found) for name, (rows, found) in sorted(self._entities.items())},
            places=self._spans(),
        )

    def _spans(self) -> SpanScore | None:
        silent = self._acts and not self._tells
        return None if self._places is None or silent else self._places.score()


def percentile_ms(ordered: list[float], share: float) -> float | None:
    """The least of these seconds that so large a share does not exceed (nearest rank), as milliseconds."""
    return ordered[math.ceil(share * len(ordered)) - 1] * 1000 if ordered else None
