"""An entity that a bounded pattern finds and a check confirms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from sentinel_plugins.guarding.entity import Family, Found
from sentinel_plugins.guarding.tail import Tail

Check: TypeAlias = Callable[[str, int, int], bool]
"""Whether `text[start:end]` is a value; reads no more around it than `Entity` allows."""


FREE: Final = "(?<![A-Za-z0-9].)(?<![A-Za-z0-9]_.)(?<![A-Za-z0-9]__.)"
"""Behind the first character of a pattern: no letter or digit stands before it, nor one with underscores: those of a
name, not those of Markdown, which stand alone. There and not in front of it, because the search then skips to the first
character as fast as memory allows."""

_NUMBER_ENDS: Final = re.compile("(?<=[0-9])(?![A-Za-z0-9])")


def holds(text: str, start: int, end: int) -> bool:
    """The check of a pattern that needs none."""
    return True


class PatternEntity:
    """An `Entity`. Its pattern is of the standard library, because that one can look behind; all that repeats in it has
    an upper bound, so that the time is linear. Letters and digits of patterns are those of ASCII unless it says more:
    a value between Chinese characters has borders too.

    A candidate that is refused hides nothing: the next place is tried.
    """

    def __init__(
        self,
        name: str,
        family: Family,
        pattern: str,
        *,
        trigger: str,
        live: str,
        max_length: int,
        left: int = 3,
        check: Check = holds,
    ) -> None:
        """What `Entity` says of each; of the last, `Check`."""
        self.name = name
        self.family: Family = family
        self.trigger = trigger
        self.live = live
        self.max_length = max_length
        self.left = left
        self._check = check
        self._pattern = re.compile(pattern, re.ASCII | re.DOTALL)
        self._tail = Tail([live], max_length)

    def find(self, text: str) -> Iterator[Found]:
        """See `Entity`."""
        position, pattern = 0, self.pattern_for(text)
        while candidate := pattern.search(text, position):
            start, end = candidate.span()
            longest = self.longest(text, start, end)
            if longest is None:
                position = start + 1
            else:
                yield Found(start, longest, self.name, self.family)
                position = longest

    def pattern_for(self, text: str) -> re.Pattern[str]:
        """What finds candidates in this text: all of them, or those that are enough there."""
        return self._pattern

    def longest(self, text: str, start: int, end: int) -> int | None:
        """Where the longest value ends that begins as the candidate does; None if it is no value."""
        if end - start <= self.max_length and self._check(text, start, end):
            return end
        return None

    def live_from(self, text: str) -> int:
        """See `Entity`."""
        return self._tail.live_from(text)


def number_ends(text: str, start: int, end: int, most: int) -> list[int]:
    """Every place in a candidate where a number of at most so many characters ends, the last first."""
    ends = [place.start() for place in _NUMBER_ENDS.finditer(text, start, min(end, start + most + 1))]
    return [at for at in reversed(ends) if at - start <= most]


def match_end(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where the match ends that begins at `start`, none of it behind `end`; `start` without one."""
    found = pattern.match(text, start, end)
    return found.end() if found is not None else start
