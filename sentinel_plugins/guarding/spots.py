"""Where the values of a whole text stand, as it is written."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.merge import Cluster

_STANDS_FOR = "x"


class Spot(msgspec.Struct, frozen=True):
    """One value: what it says, what it is, and which characters of the text it takes as it is written there."""

    value: str
    found: Found
    start: int
    end: int


class Spots:
    """Decides about nothing, and notes where what is to be decided stands: `decide` and `note` are called in turn."""

    def __init__(self) -> None:
        self._values: list[tuple[str, Found]] = []
        self._spans: list[tuple[int, int]] = []

    def decide(self, cluster: Cluster, value: str) -> str:
        """Something has to leave in the place of a value, so that its place is told."""
        self._values.append((value, cluster.first))
        return _STANDS_FOR

    def note(self, start: int, end: int, text: str) -> None:
        """A stretch that leaves as another; as nothing where it is the rest of a value that is longer than its longest
        form."""
        if text:
            self._spans.append((start, end))
        else:
            self._spans[-1] = (self._spans[-1][0], end)

    def __iter__(self) -> Iterator[Spot]:
        for (value, found), (start, end) in zip(self._values, self._spans, strict=True):
            yield Spot(value, found, start, end)
