"""What of a model's guess can be a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(r"""[^\s()\[\]{}<>"`|;:=*/\\](?:[^\n()\[\]{}<>"`|;:=*/\\]*[^\s()\[\]{}<>"`|;:=*/\\])?""")
"""Brackets, quotes, slashes and line breaks stand between names, not in them."""
_IDENTIFIER = re.compile(r"_|[^\W\d_]{2}\.[^\W\d_]")
"""`conn.read`, `read_fut`: code, of which models think that it is about people."""
_LETTERS = re.compile(r"[^\W\d_]{2}")


def plausible(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of `text[start:end]` that can be names of people, places or the like."""
    for piece in _PIECE.finditer(text, start, end):
        if _LETTERS.search(piece.group()) is not None and _IDENTIFIER.search(piece.group()) is None:
            yield piece.span()
