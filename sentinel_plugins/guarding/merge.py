"""Which of several values that overlap counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec

from sentinel_plugins.guarding.entity import Found

Rank: TypeAlias = Callable[[Found], int]
"""How much a value matters where it overlaps others; the greater number counts."""


class Cluster(msgspec.Struct, frozen=True):
    """Values that overlap, as one: `text[start:end]` is replaced by what stands for `first`, so that nothing of any of
    them is left, and nothing beside them is lost."""

    start: int
    end: int
    first: Found
    """The one that counts: of the highest rank, of these the longest, of these the leftmost; last, by its name."""


def clusters(found: Iterable[Found], rank: Rank) -> Iterator[Cluster]:
    """Values in any order as clusters, from left to right. Values that only touch each other are clusters apart."""
    current: Cluster | None = None
    for one in sorted(found):
        if current is None or one.start >= current.end:
            if current is not None:
                yield current
            current = Cluster(one.start, one.end, one)
        else:
            first = max(current.first, one, key=lambda value: _weight(value, rank))
            current = Cluster(current.start, max(current.end, one.end), first)
    if current is not None:
        yield current


def _weight(found: Found, rank: Rank) -> tuple[int, int, int]:
    return rank(found), found.end - found.start, -found.start
