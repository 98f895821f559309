"""Small kinds of values for these tests: each finds by one expression and knows its own beginnings by another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sentinel_plugins.guarding.entity import Family, Found
from sentinel_plugins.guarding.finder import Finder, Kind, Together


class Sample:
    """What an expression of the standard library finds. `live` matches beginnings of values at the end of a text."""

    trigger = ""

    def __init__(self, name: str, pattern: str, live: str, *, longest: int, left: int = 1, family: Family = "pii"):
        self.name = name
        self.family: Family = family
        self.max_length = longest
        self.left = left
        self._pattern = re.compile(pattern)
        self.live = live
        self._live = re.compile(rf"(?:{live})\Z")

    def find(self, text: str) -> Iterator[Found]:
        for match in self._pattern.finditer(text):
            yield Found(match.start(), match.end(), self.name, self.family)

    def live_from(self, text: str) -> int:
        first = max(0, len(text) - self.max_length)
        match = self._live.search(text, first)
        return match.start() if match is not None else len(text)


class Long(Sample):
    """A key that may be longer than what is found of it: it goes on to the next full stop."""

    def rest(self, text: str) -> int:
        end = text.find(".")
        return end if end >= 0 else -1


SSN = Sample("US_SSN", r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)", r"\d{1,3}(?:-\d{0,2}(?:-\d{0,4})?)?", longest=11)
MAIL = Sample(
    "EMAIL_ADDRESS",
    r"(?<![a-z.])[a-z.]{1,16}@[a-z]{1,16}\.[a-z]{2,4}(?![a-z])",
    r"[a-z.]+(?:@[a-z]*(?:\.[a-z]*)?)?",
    longest=38,
)
KEY = Sample(
    "ANTHROPIC_KEY", r"sk-ant-[a-z0-9]{4,16}(?![a-z0-9])", "s|sk|sk-(?:a|an|ant|ant-[a-z0-9]*)?", longest=24, left=0
)
PAIR = Sample("PAIR", r"\d \d", r"\d ?\d?", longest=3, left=0)
"""Wherever a row of these is cut, another half of it would be found."""
NUMBERED = Sample(
    "CODE",
    r"(?<!\d)(?<!no\. )\d\d \d\d(?!\d)",
    r"(?<!\d)(?<!no\. )\d(?:\d(?: (?:\d\d?)?)?)?",
    longest=5,
    left=4,
)
"""Not after `no. `: where that is forgotten, other values are found, also further on."""
LABELLED = Sample("PIN", r"(?<=pin )\d{2,4}(?!\d)", r"\d{1,4}", longest=4, left=4)
LINK = Sample(
    "URL", r"@[a-z]+\.[a-z]+/[a-z]*(?![a-z/])", r"@[a-z]*(?:\.[a-z]*(?:/[a-z]*)?)?", longest=60, family="secret"
)
"""Overlaps the end of an e-mail address."""
LONG = Long("PRIVATE_KEY", r"BEGIN[a-z ]{7}", r"B(?:E(?:G(?:I(?:N[a-z ]*)?)?)?)?", longest=12, left=0, family="secret")

ALL: Sequence[Sample] = (SSN, MAIL, KEY, PAIR, LABELLED, LINK)


def finder(*kinds: Kind) -> Finder:
    return Together(kinds or ALL)
