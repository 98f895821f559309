"""What a text is made of, as the classifier sees it."""

from __future__ import annotations

import re
from typing import Final

from sentinel_plugins.injection.alphabet import ByLetter

LONGEST: Final = 24
"""Characters of one word. Longer runs are cut, so that no run costs more than its length."""

BEGIN: Final = "^"
END: Final = "$"
"""Stand around the words of a short text, which begins and ends like a prompt. No text holds them as words."""

_WORD = re.compile(rf"[^\W_]{{1,{LONGEST}}}")
_BLANKED: Final = ByLetter(lambda letter: letter if letter.isalnum() else " ")
GRAM_SIZES: Final = (3, 4, 5)


def words_of(folded: str) -> list[str]:
    """The runs of letters and digits of a folded text, in order."""
    return measured(folded)[0]


def measured(folded: str) -> tuple[list[str], int]:
    """The same, and how long the longest of them is."""
    blanked = _BLANKED.of(folded)
    if blanked is not None:
        words = blanked.split()
        most = longest(words)
        if most <= LONGEST:
            return words, most
    words = _WORD.findall(folded)
    return words, longest(words)


def longest(words: list[str]) -> int:
    """Characters of the longest word."""
    return max(map(len, words), default=0)


def grams_of(word: str) -> list[str]:
    """The pieces of three to five characters of a word whose ends are marked: `<ig`, `ign`, ..., `gnore`, `nore>`."""
    marked = f"<{word}>"
    length = len(marked) + 1
    return [marked[start : start + size] for size in GRAM_SIZES for start in range(length - size)]
