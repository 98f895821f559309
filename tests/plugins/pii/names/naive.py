"""Segments as their rule says, worked out character by character, and what the stand-in finds in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel_plugins.guarding.entity import Found

_CLOSERS = "\"')]*_\u2019\u201d\u00bb"
_SHORT = (
    *("Capt", "Col", "Dr", "Fr", "Gen", "Gov", "Hon", "Jr", "Lt", "Mr", "Mrs", "Ms", "Mt", "No", "Prof", "Rep"),
    *("Rev", "Sen", "Sgt", "Sr", "St", "vs"),
)
_NAMES = {"PERSON": r"\bAnn Smith\b|\bBob\b", "LOCATION": r"\bParis\b"}


def segments(text: str) -> list[str]:
    """The whole text, cut."""
    cut, start = [], 0
    for at in range(1, len(text) + 1):
        if _ends(text[start:at]):
            cut.append(text[start:at])
            start = at
    return [*cut, text[start:]] if start < len(text) else cut


def _ends(segment: str) -> bool:
    """Whether a segment is complete that was not one character ago."""
    last = segment[-1]
    if last in "\n\u3002\uff01\uff1f" or len(segment) == 400 or (last.isspace() and not 1 < len(segment) <= 350):
        return True
    if not last.isspace():
        return False
    for closers in range(5):
        before = segment[: -1 - closers]
        if before and before[-1] in ".!?\u2026":
            return not _is_short(before)
        if not before or before[-1] not in _CLOSERS:
            return False
    return False


def _is_short(text: str) -> bool:
    """Whether the text ends with an abbreviation and its full stop."""
    marks = len(text) - len(text.rstrip(".!?\u2026"))
    if text[len(text) - marks] != ".":
        return False
    word = re.split(r"[\W\d_]", text[:-marks])[-1]
    return len(word) == 1 or word in _SHORT


def _is_run(segment: str) -> bool:
    """No prose: 64 characters of ASCII or more, and one word."""
    return len(segment) >= 64 and segment.isascii() and len(segment.split()) == 1


class Named:
    """What the stand-in finds, segment by segment."""

    def find(self, text: str) -> Iterator[Found]:
        at = 0
        for segment in segments(text):
            for entity, pattern in _NAMES.items() if not _is_run(segment) else ():
                for match in re.finditer(pattern, segment):
                    yield Found(at + match.start(), at + match.end(), entity, "pii")
            at += len(segment)
