"""Many things, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """All of them in their order, `size` at a time: `itertools.batched` of Python 3.12."""
    rest = iter(things)
    while some := [*islice(rest, size)]:
        yield some
