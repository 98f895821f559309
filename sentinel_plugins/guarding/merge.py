"""Which of several values that overlap counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop
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


def clusters(found: list[Found], rank: Rank) -> Iterator[Cluster]:
    """Values in any order as clusters, from left to right. Values that only touch each other are clusters apart.

    They are taken from the list, which becomes a heap: what is pushed to it counts as well, where it begins behind the
    clusters that have come.
    """
    heapify(found)
    while found:
        one = heappop(found)
        start, end, first = one.start, one.end, one
        while found and found[0].start < end:
            one = heappop(found)
            first = max(first, one, key=lambda value: _weight(value, rank))
            end = max(end, one.end)
        yield Cluster(start, end, first)


def _weight(found: Found, rank: Rank) -> tuple[int, int, int]:
    return rank(found), found.end - found.start, -found.start
