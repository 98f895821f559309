"""Long texts in pieces that are counted one by one: a count can then be given up, and takes time linear in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

PIECE: Final = 65_536
"""Characters of a piece, at most: some milliseconds' work."""
_LOOKED: Final = 4_096
"""Characters at the end of a piece that are searched for a place between two words."""


class Piece(NamedTuple):
    """The next part of a text; `exact` says that its tokens are those that the whole text has there."""

    text: str
    exact: bool


def pieces(text: str) -> Iterator[Piece]:
    """The text, cut between words. One without words, such as the same letter a million times, is cut anywhere: as one
    word its count would take time that grows with the square of its length."""
    start = 0
    while len(text) - start > PIECE:
        end = _between_words(text, max(start + 1, start + PIECE - _LOOKED), start + PIECE)
        yield Piece(text[start : end or start + PIECE], end > 0)
        start = end or start + PIECE
    yield Piece(text[start:], True)


def _between_words(text: str, begin: int, end: int) -> int:
    """The last place before `end` where a single space stands before a letter; 0 if there is none. The encodings give
    such a space to the word behind it, whatever stands before."""
    at = text.rfind(" ", begin, end)
    while at > 0:
        if text[at + 1].isascii() and text[at + 1].isalpha() and not text[at - 1].isspace():
            return at
        at = text.rfind(" ", begin, at)
    return 0
