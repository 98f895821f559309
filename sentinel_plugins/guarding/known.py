"""Values that were found somewhere, wherever else they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.word import UNSPACED

_LETTER = rf"[^\W{UNSPACED}]"
_BEGINNINGS = re.compile(rf"(?<!{_LETTER})\w|(?=\w)[{UNSPACED}]|[^\w\s]")
_INSIDE = re.compile(rf"{_LETTER}{{2}}")
_KEY = 8


class Known:
    """Finds these very values, but not inside of longer words, in time linear in the text, however many there are."""

    left = 1

    def __init__(self, values: Mapping[str, Found]) -> None:
        self._values = values
        self.max_length = max(map(len, values), default=0)
        self._key = min(_KEY, min(map(len, values), default=0))
        self._lengths: dict[str, list[int]] = {}
        for value in sorted(values, key=len, reverse=True):
            lengths = self._lengths.setdefault(value[: self._key], [])
            if len(value) not in lengths:
                lengths.append(len(value))

    def find(self, text: str) -> Sequence[Found]:
        """The leftmost first, of those the longest."""
        found: list[Found] = []
        at = 0
        for match in _BEGINNINGS.finditer(text):
            start = match.start()
            for length in self._lengths.get(text[start : start + self._key], ()) if start >= at else ():
                value, end = text[start : start + length], start + length
                if end <= len(text) and value in self._values and not _INSIDE.match(text, end - 1):
                    at = end
                    found.append(replace(self._values[value], start=start, end=at))
                    break
        return found

    def live_from(self, text: str) -> int:
        """A value may have begun this far ago."""
        return max(0, len(text) - self.max_length)
