"""What a text is made of, as the classifier sees it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sentinel_plugins.injection.alphabet import ByLetter

LONGEST: Final = 24
"""Characters of one word. Longer runs are cut, so that no run costs more than its length."""

BEGIN: Final = "^"
END: Final = "$"
"""Stand around the words of a short text, which begins and ends like a prompt. No text holds them as words."""

_WORD = re.compile(rf"[^\W_]{{1,{LONGEST}}}")
_BLANKED: Final = ByLetter(lambda letter: letter if letter.isalnum() else " ")
GRAM_SIZES: Final = (3, 4, 5)


class Measured(NamedTuple):
    """The runs of letters and digits of a folded text, in order, the characters of the longest, and of all of them."""

    words: list[str]
    most: int
    letters: int


def words_of(folded: str) -> list[str]:
    """The runs of letters and digits of a folded text, in order."""
    return measured(folded).words


def measured(folded: str) -> Measured:
    """The same, and how long they are."""
    blanked = _BLANKED.of(folded)
    if blanked is not None:
        words = blanked.split()
        most = longest(words)
        if most <= LONGEST:
            return Measured(words, most, len(blanked) - blanked.count(" "))
    words = _WORD.findall(folded)
    return Measured(words, longest(words), sum(map(len, words)))


def longest(words: list[str]) -> int:
    """Characters of the longest word."""
    return max(map(len, words), default=0)


def grams_of(word: str) -> list[str]:
    """The pieces of three to five characters of a word whose ends are marked: `<ig`, `ign`, ..., `gnore`, `nore>`."""
    marked = f"<{word}>"
    length = len(marked) + 1
    return [marked[start : start + size] for size in GRAM_SIZES for start in range(length - size)]
