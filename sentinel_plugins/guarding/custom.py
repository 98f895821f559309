"""Values of a kind that the configuration describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, TypeAlias

import msgspec
import re2
from msgspec import Meta

from sentinel_plugins.guarding.entity import Family, Found
from sentinel_plugins.guarding.shortest import shortest
from sentinel_plugins.guarding.tail import utf8
from sentinel_plugins.guarding.word import cuts, last_border, next_border

MAX_LENGTH = 1000

Length: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_LENGTH)]

_PARTS = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\[pP]\{[^}]*\}|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{[^}]*\}|\\.|[^\]\\])*\]|.", re.DOTALL
)
"""What a pattern consists of, as far as it matters here: literal text, an escape, a class, any other character."""
_ASSERTIONS = frozenset(("^", "$", r"\b", r"\B", r"\A", r"\z"))
_MOST_ENDS = 8
"""Of what begins at one place these are tried, which bounds the work: a pattern may match parts of every word."""
_CONTINUED = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 with which no character begins."""


class CustomTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of value of your own."""

    pattern: Annotated[str, Meta(min_length=1)]
    """A regular expression (RE2) of the value and nothing around it: no `^`, `$` or `\\b`. A part of a longer word is
    not found."""
    max_length: Length
    """Characters of the longest value. A reply that is streamed is held back by so many, so keep it short."""

    def __post_init__(self) -> None:
        try:
            compiled = _compiled(self.pattern)
        except re2.error as error:
            raise ValueError(f"pattern: not an RE2 pattern: {_reason(error)}") from None
        if _asserts(self.pattern):
            raise ValueError(r"pattern: leave out ^, $ and \b: a part of a longer word is not found anyway")
        if compiled.fullmatch(b""):
            raise ValueError("pattern: it must not match the empty text")
        least = shortest(self.pattern)
        if least > self.max_length:
            raise ValueError(f"max_length: the shortest value of this pattern has {least} characters")


class Custom:
    """One kind of value by its pattern: of the values that begin at one place the longest that is no part of a word."""

    left = 1

    def __init__(self, name: str, family: Family, table: CustomTable) -> None:
        self.name = name
        self.family: Family = family
        self.max_length = table.max_length
        self.trigger = table.pattern
        self._pattern = _compiled(table.pattern)

    def find(self, text: str) -> Iterator[Found]:
        """Every value, from left to right."""
        start = self._start(text, 0)
        while start < len(text):
            end = self._end(text, start)
            if end is not None:
                yield Found(start, end, self.name, self.family)
            start = self._start(text, next_border(text, start) if end is None else end)

    def live_from(self, text: str) -> int:
        """A value may have begun this far ago: nothing shorter is true of every pattern."""
        return max(0, len(text) - self.max_length)

    def _start(self, text: str, at: int) -> int:
        """Where the first match begins at or after `at`, looked for in windows; the length of the text if none does."""
        while at < len(text):
            window = text[at : at + 4 * self.max_length]
            last = at + len(window) == len(text)
            sure = len(window) if last else len(window) - self.max_length
            read = utf8(window)
            match = self._pattern.search(read)
            start = sure if match is None else _characters(read, match.start())
            if start < sure:
                return at + start
            at += sure
        return len(text)

    def _end(self, text: str, start: int) -> int | None:
        """Where the longest value ends that begins here; None if each of them would cut a word."""
        end = start if cuts(text, start) else last_border(text, start, min(len(text), start + self.max_length))
        for _ in range(_MOST_ENDS):
            read = utf8(text[start:end])
            match = self._pattern.match(read)
            if match is None:
                break
            longest = start + _characters(read, match.end())
            end = last_border(text, start, longest)
            if end == longest:
                return end
        return None


def _characters(read: bytes, end: int) -> int:
    """How many characters begin in so many bytes."""
    return end if read.isascii() else len(read[:end].translate(None, _CONTINUED))


def _compiled(pattern: str) -> re2._Regexp[bytes]:
    options = re2.Options()
    options.longest_match = True
    options.log_errors = False
    return re2.compile(utf8(pattern), options)


def _reason(error: re2.error) -> str:
    """What RE2 says about a pattern, and about which part of it."""
    said: bytes = error.args[0]
    return said.decode(errors="replace")


def _asserts(pattern: str) -> bool:
    """Whether a pattern looks at what is around a value."""
    return any(part in _ASSERTIONS for part in _PARTS.findall(pattern))
