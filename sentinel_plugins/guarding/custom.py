"""Values of a kind that the configuration describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

import msgspec
import re2
from msgspec import Meta

from sentinel_plugins.guarding.entity import Family, Found
from sentinel_plugins.guarding.shortest import shortest

MAX_LENGTH = 1000

Length: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_LENGTH)]

_ASSERTIONS = frozenset("bBAzZ")


class CustomTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of value of your own."""

    pattern: Annotated[str, Meta(min_length=1)]
    """A regular expression (RE2) of the value and nothing around it: no `^`, `$` or `\\b`. A part of a longer word is
    not found."""
    max_length: Length
    """Characters of the longest value. A reply that is streamed is held back by so many, so keep it short."""

    def __post_init__(self) -> None:
        if _asserts(self.pattern):
            raise ValueError(r"pattern: leave out ^, $ and \b: a part of a longer word is not found anyway")
        try:
            compiled = _compiled(self.pattern)
        except re2.error:
            raise ValueError("pattern: not an RE2 pattern") from None
        if compiled.fullmatch(""):
            raise ValueError("pattern: it must not match the empty text")
        least = shortest(self.pattern)
        if least > self.max_length:
            raise ValueError(f"max_length: the shortest value of this pattern has {least} characters")


class Custom:
    """One kind of value by its pattern: of the values that begin at one place the longest, and whole words only."""

    left = 1

    def __init__(self, name: str, family: Family, table: CustomTable) -> None:
        self.name = name
        self.family: Family = family
        self.max_length = table.max_length
        self.trigger = table.pattern
        self._pattern = _compiled(table.pattern)

    def find(self, text: str) -> Iterator[Found]:
        """Every value, from left to right."""
        at = 0
        while at < len(text):
            start, end = self._search(text, at)
            if start < 0:
                at = end
            elif _cuts(text, start) or _cuts(text, end):
                at = start + 1
            else:
                yield Found(start, end, self.name, self.family)
                at = end

    def live_from(self, text: str) -> int:
        """A value may have begun this far ago: nothing shorter is true of every pattern."""
        return max(0, len(text) - self.max_length)

    def _search(self, text: str, at: int) -> tuple[int, int]:
        """The first value at or after `at`, looked for in a window; (-1, where to go on) if none begins there."""
        window = text[at : at + 4 * self.max_length]
        last = at + len(window) == len(text)
        sure = len(window) if last else len(window) - self.max_length
        match = self._pattern.search(window)
        if match is None or match.start() >= sure:
            return -1, at + sure
        start = at + match.start()
        longest = self._pattern.match(text[start : start + self.max_length])
        return (start, start + longest.end()) if longest is not None else (-1, start + 1)


def _compiled(pattern: str) -> re2._Regexp[str]:
    options = re2.Options()
    options.longest_match = True
    options.log_errors = False
    return re2.compile(pattern, options)


def _asserts(pattern: str) -> bool:
    """Whether a pattern looks at what is around a value."""
    inside = False
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            if next(characters, "") in _ASSERTIONS and not inside:
                return True
        elif character == "[":
            inside = True
        elif character == "]":
            inside = False
        elif character in "^$" and not inside:
            return True
    return False


def _cuts(text: str, at: int) -> bool:
    """Whether a place is in the middle of a word."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()
