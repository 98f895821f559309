"""What a whole text must become, worked out another way: character by character, with everything known at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from sentinel_plugins.guarding.entity import Found


class Findable(Protocol):
    """Whatever finds values in a whole text."""

    def find(self, text: str) -> Iterable[Found]: ...


RANK = {"secret": 2, "pii": 1}


def expected(text: str, kinds: Sequence[Findable], replace: Callable[[Found, str], str]) -> str:
    """Every stretch of characters that values cover, each replaced by what its weightiest value asks for."""
    found = [one for kind in kinds for one in kind.find(text)]
    covered = [False] * len(text)
    bridged = [False] * (len(text) + 1)
    for one in found:
        for at in range(one.start, one.end):
            covered[at] = True
            bridged[at] = bridged[at] or at > one.start
    out: list[str] = []
    at = 0
    while at < len(text):
        if not covered[at]:
            out.append(text[at])
            at += 1
            continue
        end = at + 1
        while end < len(text) and bridged[end]:
            end += 1
        inside = [one for one in found if at <= one.start < end]
        first = max(inside, key=lambda one: (RANK[one.family], one.end - one.start, -one.start))
        out.append(replace(first, text[at:end]))
        at = end
    return "".join(out)
