"""Where the characters of a changed text come from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Origins(Protocol):
    """Leads from a text that was made from another back to that one."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """What `[start:end]` was made from: all of it, with whole escapes and whole encoded tokens."""
        ...


@dataclass(frozen=True, slots=True)
class Same:
    """Character by character the same places."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """See `Origins`."""
        return start, end


@dataclass(frozen=True, slots=True)
class Stretches:
    """Text in stretches, given by their ends in both texts. A stretch as long as what it was made from has the same
    characters in the same order; any other belongs together: a part of it comes from the whole."""

    made: Sequence[int]
    origin: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """See `Origins`."""
        return self._start(start), self._end(end)

    def _start(self, at: int) -> int:
        index = bisect_right(self.made, at)
        made, origin = self._begin(index)
        return origin + at - made if self._alike(index) else origin

    def _end(self, at: int) -> int:
        index = bisect_left(self.made, at)
        made, origin = self._begin(index)
        return origin + at - made if self._alike(index) else self.origin[index]

    def _begin(self, index: int) -> tuple[int, int]:
        return (self.made[index - 1], self.origin[index - 1]) if index else (0, 0)

    def _alike(self, index: int) -> bool:
        made, origin = self._begin(index)
        return self.made[index] - made == self.origin[index] - origin


@dataclass(frozen=True, slots=True)
class Composed:
    """One change after another."""

    first: Origins
    second: Origins

    def span(self, start: int, end: int) -> tuple[int, int]:
        """See `Origins`."""
        return self.first.span(*self.second.span(start, end))


def composed(first: Origins, second: Origins) -> Origins:
    """The way back through both."""
    if isinstance(first, Same):
        return second
    return first if isinstance(second, Same) else Composed(first, second)


class Making:
    """Makes a text piece by piece and notes where the pieces come from."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._made: list[int] = []
        self._origin: list[int] = []
        self._length = 0

    def add(self, piece: str, origin_end: int) -> None:
        """The next piece, made from what follows up to `origin_end`."""
        self._length += len(piece)
        self._pieces.append(piece)
        self._made.append(self._length)
        self._origin.append(origin_end)

    def done(self) -> tuple[str, Origins]:
        """The text and the way back."""
        return "".join(self._pieces), Stretches(self._made, self._origin)
