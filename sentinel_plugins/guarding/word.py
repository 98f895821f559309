"""Words, and the places between them."""

from __future__ import annotations

import re
from typing import Final

UNSPACED: Final = (
    "\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\ua4cf\ua960-\ua9ff\uaa60-\uaadf"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdf\U00016fe0-\U00018dff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""Of a class of characters: scripts that are written without spaces, from Thai to Chinese, and Korean, whose endings
are joined to what they follow. Nothing says where a word of these ends, so no place beside one is inside of a word."""
_INSIDE = re.compile(rf"[^\W_{UNSPACED}]{{2}}")
_REST = re.compile(rf"[^\W_{UNSPACED}]+")


def cuts(text: str, at: int) -> bool:
    """Whether a place is in the middle of a word: letters or digits on both sides."""
    return at > 0 and _INSIDE.match(text, at - 1) is not None


def next_border(text: str, at: int) -> int:
    """The first place behind this one that cuts no word."""
    rest = _REST.match(text, at)
    return at + 1 if rest is None else rest.end()


def last_border(text: str, start: int, end: int) -> int:
    """The last place from `start` to `end` that cuts no word; `start` if there is none."""
    rest = _REST.match(text[start:end][::-1]) if cuts(text, end) else None
    return end if rest is None else end - rest.end()
