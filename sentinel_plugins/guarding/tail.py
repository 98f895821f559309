"""The end of a text in which something may have begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import re2

ANYWHERE: Any = getattr(getattr(re2, "_Anchor", None), "UNANCHORED", None)  # Any: of a module without stubs
Search: TypeAlias = Callable[[Any, bytes, int, int], Sequence[tuple[int, int]]]  # Any: re2 has no stubs
"""Where a match has to begin, a text, and from where to where in it: the match and its groups, (-1, -1) without one."""

_MEMORY_BYTES = 64 << 20
"""What the automaton of many patterns may grow to. Beyond it RE2 gives up or slows down, which must not happen to a
guard."""


def memory() -> re2.Options:
    """Options of a pattern that stands for many."""
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    return options


class Tail:
    """Searches the last characters of texts for beginnings of values: for all of them at once, backwards from the end,
    so that it takes a microsecond where nothing has begun."""

    def __init__(self, beginnings: Sequence[str], length: int) -> None:
        """Patterns of RE2 that match whatever may become a value, and how many characters that may have."""
        together = "|".join(f"(?:{pattern})" for pattern in beginnings)
        self._search = searching(f"(?:{together})\\z".encode())
        self.length = length

    def live_from(self, text: str) -> int:
        """Where the leftmost of them begins; the length of the text where none does."""
        tail = text[-self.length :]
        encoded = tail.encode("utf-8", "surrogatepass")  # as `utf8`, a call less for every event of every stream
        start = self._search(ANYWHERE, encoded, 0, len(encoded))[0][0]
        if start < 0:
            return len(text)
        if len(encoded) == len(tail):
            return len(text) - len(tail) + start
        return len(text) - len(encoded[start:].decode("utf-8", "surrogatepass"))


def searching(pattern: bytes) -> Search:
    """The search for the first match of a pattern of RE2.

    What RE2's module for Python makes of a match takes longer than the search itself, so this is what lies below it.
    """
    compiled = re2.compile(pattern, memory())
    search: Search | None = getattr(getattr(compiled, "_regexp", None), "Match", None)
    return search or partial(_spans, compiled)


def holding(pattern: str) -> Callable[[str], bool]:
    """Whether a pattern of RE2 matches somewhere in a text."""
    search = searching(pattern.encode())

    def holds(text: str) -> bool:
        encoded = utf8(text)
        return search(ANYWHERE, encoded, 0, len(encoded))[0][0] >= 0

    return holds


def _spans(compiled: Any, _: object, text: bytes, start: int, end: int) -> Sequence[tuple[int, int]]:  # Any: as above
    """The same by what RE2's module offers to everybody, where a version of it hides the rest elsewhere."""
    found = compiled.search(text, start, end)
    return [found.span() if found is not None else (-1, -1)]


def matching(patterns: re2.Set) -> Callable[[bytes], Sequence[int]]:
    """The numbers of the patterns of a compiled set that match somewhere in a text; as with `searching`, from below."""
    match: Callable[[bytes], Sequence[int]] | None = getattr(getattr(patterns, "_set", None), "Match", None)
    return match or (lambda text: patterns.Match(text) or ())


def utf8(text: str) -> bytes:
    """The text for RE2. JSON can carry halves of surrogate pairs; they are no reason to fail."""
    return text.encode("utf-8", "surrogatepass")


def opening(literal: str, rest: str = "") -> str:
    """A pattern for every beginning of a literal, and for all of it with `rest` behind it."""
    pattern = rest
    for letter in reversed(literal):
        pattern = re2.escape(letter) + (f"(?:{pattern})?" if pattern else "")
    return pattern
