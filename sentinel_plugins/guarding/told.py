"""What was found in a text beforehand, for those who look at it as it goes by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.handover import Mark
from sentinel_plugins.guarding.transducer import Piece

_SLICE: Final = 16_384


class Told:
    """Finds in one text what another guard found there, for a reader to whom that is not plain any more.

    It is asked about ends of the text up to the last character that it took.
    """

    max_length = 0
    left = 0

    def __init__(self) -> None:
        self._found: list[Found] = []
        self._told = 0
        self._taken = 0

    def tell(self, marks: Sequence[Mark], length: int) -> None:
        """What stands in the characters that come next, so many."""
        for mark in marks:
            if not mark.gone:
                found = replace(mark.cluster.first, start=self._told + mark.start, end=self._told + mark.end)
                self._found.append(found)
        self._told += length

    def take(self, text: str, *, end: bool) -> None:
        """The next piece of the text."""
        self._taken += len(text)

    def find(self, text: str) -> Sequence[Found]:
        """What is in these last characters of the text. What begins before them begins with them."""
        first = self._taken - len(text)
        return [
            replace(found, start=max(0, found.start - first), end=found.end - first)
            for found in self._found[self._ended(first) : self._ended(self._taken)]
        ]

    def live_from(self, text: str) -> int:
        """Where a value begins of which a part has been taken."""
        ended = self._ended(self._taken)
        begun = self._taken - self._found[ended].start if ended < len(self._found) else 0
        return len(text) - min(max(0, begun), len(text))

    def _ended(self, at: int) -> int:
        """How many of the values have ended there."""
        return bisect_right(self._found, at, key=lambda found: found.end)


class Follows(Protocol):
    """Hears of a text as it is read."""

    def take(self, text: str, *, end: bool) -> None:
        """The next piece of the text."""
        ...


class Reads(Protocol):
    """Takes a text in pieces."""

    def feed(self, text: str, *, end: bool = False) -> list[Piece]:
        """See `Replacer`."""
        ...


class Alongside:
    """A text that is read by one who follows it, and by one who asks that one about it."""

    def __init__(self, follows: Follows, reads: Reads) -> None:
        self._follows = follows
        self._reads = reads

    def feed(self, text: str, *, end: bool = False) -> list[Piece]:
        """See `Replacer`. Piece by piece, so that both are always equally far."""
        pieces: list[Piece] = []
        for at in range(0, len(text), _SLICE) or (0,):
            last = end and at + _SLICE >= len(text)
            part = text[at : at + _SLICE]
            self._follows.take(part, end=last)
            pieces += self._reads.feed(part, end=last)
        return pieces
