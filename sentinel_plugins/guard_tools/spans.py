"""How well a guard finds places: its findings beside those that a data set gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sentinel_core.keys import Finding
from sentinel_plugins.guard_tools.dataset import Span
from sentinel_plugins.guard_tools.share import share


class TypeSpans(msgspec.Struct, frozen=True):
    """Of the places of one type: how many there are, of how many every character was found as something, and how many
    were found as just this, from the first character to the last."""

    spans: int
    covered: int
    exact: int


class SpanScore(msgspec.Struct, frozen=True, kw_only=True):
    """The same for all types. `findings` are those of the guard, `right` those that share a character with a place that
    the data set gives. `recall` is covered places among all, `precision` right findings among all."""

    spans: int
    covered: int
    exact: int
    findings: int
    right: int
    precision: float | None
    recall: float | None
    types: Mapping[str, TypeSpans]


class SpanTally:
    """Counts places of row after row."""

    def __init__(self) -> None:
        self._types: dict[str, list[int]] = {}
        self._findings = 0
        self._right = 0

    def add(self, spans: Iterable[Span], findings: Iterable[Finding]) -> None:
        """One row more."""
        spans, findings = tuple(spans), tuple(findings)
        found = {at for one in findings for at in range(one.start, one.end)}
        given = {at for span in spans for at in range(span.start, span.end)}
        places = {(one.start, one.end, one.type) for one in findings}
        for span in spans:
            counts = self._types.setdefault(span.type, [0, 0, 0])
            counts[0] += 1
            counts[1] += found.issuperset(range(span.start, span.end))
            counts[2] += (span.start, span.end, span.type) in places
        self._findings += len(findings)
        self._right += sum(not given.isdisjoint(range(one.start, one.end)) for one in findings)

    def score(self) -> SpanScore:
        """What it comes to."""
        types = {name: TypeSpans(*counts) for name, counts in sorted(self._types.items())}
        spans, covered, exact = (
            sum(getattr(one, name) for one in types.values()) for name in ("spans", "covered", "exact")
        )
        return SpanScore(
            spans=spans,
            covered=covered,
            exact=exact,
            findings=self._findings,
            right=self._right,
            precision=share(self._right, self._findings),
            recall=share(covered, spans),
            types=types,
        )
