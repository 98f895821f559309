"""Values that were found somewhere, wherever else they stand."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import neg

from msgspec.structs import replace

from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder
from sentinel_plugins.guarding.word import UNSPACED

_INSIDE = re.compile(rf"[^\W{UNSPACED}]{{2}}")
_NOTHING = re.compile(r"(?!)")
_KEY = 8
_FEW = 16
"""So many are looked for one by one in less time than all at once."""


class Known:
    """Finds these very values, but not inside of longer words, in time linear in the text, however many there are."""

    left = 1

    def __init__(self, values: Mapping[str, Found] | None = None) -> None:
        self.values = dict(values or {})
        """What each of them is."""
        self.max_length = max(map(len, self.values), default=0)
        self._sorted = sorted(self.values)
        self._key = _KEY
        self._lengths: dict[str, list[int]] = {}
        self._firsts: set[str] = set()
        self._first = _NOTHING
        self._arrange(self.values)

    def learn(self, value: str, found: Found) -> bool:
        """One more; False if it was known before."""
        if not value or value in self.values:
            return False
        self.values[value] = found
        self.max_length = max(self.max_length, len(value))
        insort(self._sorted, value)
        self._arrange((value,))
        return True

    def find(self, text: str) -> Sequence[Found]:
        """The leftmost first, of those the longest; of others what goes on behind those before them."""
        if len(self.values) <= _FEW and not any(value in text for value in self.values):  # as a rule
            return ()
        found: list[Found] = []
        at = 0
        for match in self._first.finditer(text):
            start = match.start()
            for length in self._lengths.get(text[start : start + self._key], ()):
                value, end = text[start : start + length], start + length
                if at < end <= len(text) and value in self.values and _is_apart(text, start, end):
                    at = end
                    found.append(replace(self.values[value], start=start, end=at))
                    break
        return found

    def live_from(self, text: str) -> int:
        """Where, at the end of the text, one begins that more text may complete, or take for a part of a word."""
        for match in self._first.finditer(text, max(0, len(text) - self.max_length)):
            start = match.start()
            if self._begins(text[start:]) and not _cuts(text, start):
                return start
        return len(text)

    def again(self, value: str, text: str, at: int) -> Iterator[Found]:
        """Where one of them stands from there on."""
        while (at := text.find(value, at)) >= 0:
            end = at + len(value)
            if _is_apart(text, at, end):
                yield replace(self.values[value], start=at, end=end)
                at = end
            else:
                at += 1

    def begun(self, value: str, text: str, at: int) -> int:
        """`live_from` of one of them, from there on."""
        start = max(at, len(text) - len(value))
        while (start := text.find(value[0], start)) >= 0:
            if value.startswith(text[start:]) and not _cuts(text, start):
                return start
            start += 1
        return len(text)

    def _begins(self, text: str) -> bool:
        at = bisect_left(self._sorted, text)
        return at < len(self._sorted) and self._sorted[at].startswith(text)

    def _arrange(self, values: Iterable[str]) -> None:
        """Make ready to find these as well."""
        key = min(map(len, values), default=_KEY)
        if key < self._key:  # at most as often as a key has characters
            self._key, self._lengths, values = key, {}, self.values
        for value in values:
            lengths = self._lengths.setdefault(value[: self._key], [])
            if len(value) not in lengths:
                insort(lengths, len(value), key=neg)
        firsts = {value[0] if value[0].isascii() else "" for value in values if value}
        if not firsts <= self._firsts:
            self._firsts |= firsts
            others = r"\x80-\U0010ffff" if "" in self._firsts else ""
            self._first = re.compile(f"[{re.escape(''.join(sorted(self._firsts)))}{others}]")


class Recalling:
    """What a finder finds, and the values that are known by then."""

    def __init__(self, finder: Finder, known: Known) -> None:
        self._finder = finder
        self._known = known
        self._values = known.values
        self.left = max(finder.left, known.left)

    @property
    def max_length(self) -> int:
        """See `Finder`."""
        return max(self._finder.max_length, self._known.max_length)

    def find(self, text: str) -> Sequence[Found]:
        """The values of both."""
        found = self._finder.find(text)
        return [*found, *self._known.find(text)] if self._values else found

    def live_from(self, text: str) -> int:
        """Where the first of the two may go on."""
        live = self._finder.live_from(text)
        return min(live, self._known.live_from(text)) if self._values else live

    def following(self) -> Finder:
        """See `Finder`."""
        return Recalling(self._finder.following(), self._known)


def _is_apart(text: str, start: int, end: int) -> bool:
    return not _cuts(text, start) and not _cuts(text, end)


def _cuts(text: str, at: int) -> bool:
    """Whether this place is inside of a longer word, as far as the text goes. A `_` belongs to one."""
    return at > 0 and _INSIDE.match(text, at - 1) is not None
