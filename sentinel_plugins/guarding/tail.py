"""The end of a text in which something may have begun."""

from __future__ import annotations

from collections.abc import Sequence

import re2

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
        self._pattern = re2.compile(f"(?:{together})\\z".encode(), memory())
        self.length = length

    def live_from(self, text: str) -> int:
        """Where the leftmost of them begins; the length of the text where none does."""
        tail = text[-self.length :]
        encoded = utf8(tail)
        found = self._pattern.search(encoded)
        if found is None:
            return len(text)
        start: int = found.start()
        if len(encoded) == len(tail):
            return len(text) - len(tail) + start
        return len(text) - len(encoded[start:].decode("utf-8", "surrogatepass"))


def utf8(text: str) -> bytes:
    """The text for RE2. JSON can carry halves of surrogate pairs; they are no reason to fail."""
    return text.encode("utf-8", "surrogatepass")


def opening(literal: str, rest: str = "") -> str:
    """A pattern for every beginning of a literal, and for all of it with `rest` behind it."""
    pattern = rest
    for letter in reversed(literal):
        pattern = re2.escape(letter) + (f"(?:{pattern})?" if pattern else "")
    return pattern
