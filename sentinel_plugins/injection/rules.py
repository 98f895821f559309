"""What is known to be an attempt by its words: rules that people read, in `rules.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec

FILE: Final = "rules.toml"


class RuleRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule as written. `pattern` is tried where one of the `anchors` stands, and only there.

    Every repetition in a pattern is bounded, so that all tries together take time linear in the text.
    """

    name: str
    why: str
    anchors: tuple[str, ...]
    pattern: str
    score: float


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[RuleRow, ...]


class Rules:
    """The rules, compiled, behind their anchors."""

    def __init__(self, rows: Sequence[RuleRow]) -> None:
        strongest = sorted(rows, key=lambda row: -row.score)
        self._rules = [(frozenset(row.anchors), re.compile(rf"\b(?:{row.pattern})"), row) for row in strongest]
        self._anchors = frozenset(anchor for row in rows for anchor in row.anchors)

    def first(self, folded: str, words: Iterable[str]) -> RuleRow | None:
        """The strongest rule that matches the folded text with these words, if one does."""
        present = self._anchors.intersection(words)
        if not present:
            return None
        for anchors, pattern, row in self._rules:
            if any(_matches(pattern, folded, anchor) for anchor in anchors & present):
                return row
        return None


def _matches(pattern: re.Pattern[str], folded: str, anchor: str) -> bool:
    at = folded.find(anchor)
    while at >= 0:
        if pattern.match(folded, at):
            return True
        at = folded.find(anchor, at + len(anchor))
    return False


def shipped_rows() -> tuple[RuleRow, ...]:
    """The rules of the package, as written."""
    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File).rule


@cache
def shipped_rules() -> Rules:
    """The rules of the package, compiled once per process."""
    return Rules(shipped_rows())
