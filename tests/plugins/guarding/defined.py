"""The kinds of the guards' tables, found as their definition says: by trying every place and every length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sentinel_plugins.guarding.entity import Family, Found
from tests.plugins.guarding.guards import DSN, KEY, MAIL, SSN, Table


@dataclass(frozen=True)
class Defined:
    """Of the values that begin at one place the longest; a value in the middle of a word is none."""

    name: str
    table: Table
    family: Family = "pii"

    def find(self, text: str) -> Iterator[Found]:
        at, pattern = 0, re.compile(self.table["pattern"])
        while at < len(text):
            ends = range(at + 1, min(len(text), at + self.table["max_length"]) + 1)
            end = max((end for end in ends if pattern.fullmatch(text, at, end)), default=0)
            if end and not _cuts(text, at) and not _cuts(text, end):
                yield Found(at, end, self.name, self.family)
                at = end
            else:
                at += 1


def _cuts(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


DEFINED = (
    Defined("OWN_SSN", SSN),
    Defined("OWN_MAIL", MAIL),
    Defined("OWN_KEY", KEY, "secret"),
    Defined("OWN_DSN", DSN, "secret"),
)
