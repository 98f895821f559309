"""The kinds of the guards' tables, found as their definition says: by trying every place and every length."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sentinel_core.json_types import TomlTable
from sentinel_plugins.guarding.entity import Family, Found
from tests.plugins.guarding.guards import DSN, KEY, MAIL, SSN


@dataclass(frozen=True)
class Defined:
    """Of the values that begin at one place the longest that ends with a word; what begins in one is none."""

    name: str
    table: TomlTable
    family: Family = "pii"

    def find(self, text: str) -> Iterator[Found]:
        at, pattern = 0, re.compile(self.table["pattern"])
        while at < len(text):
            ends = range(at + 1, min(len(text), at + self.table["max_length"]) + 1)
            whole = (end for end in ends if pattern.fullmatch(text, at, end) and not _cuts(text, end))
            end = 0 if _cuts(text, at) else max(whole, default=0)
            if end:
                yield Found(at, end, self.name, self.family)
                at = end
            else:
                at += 1


_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "BOPOMOFO", "YI")


def _cuts(text: str, at: int) -> bool:
    return 0 < at < len(text) and _of_a_word(text[at - 1]) and _of_a_word(text[at])


def _of_a_word(character: str) -> bool:
    """A letter or a digit, but of a script that is written with spaces."""
    script = unicodedata.name(character, "").removeprefix("HALFWIDTH ").split(" ")[0]
    return character.isalnum() and script not in _UNSPACED


DEFINED = (
    Defined("OWN_SSN", SSN),
    Defined("OWN_MAIL", MAIL),
    Defined("OWN_KEY", KEY, "secret"),
    Defined("OWN_DSN", DSN, "secret"),
)
