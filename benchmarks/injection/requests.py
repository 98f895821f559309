"""Benign requests, as callers send them: one text, code with a question, a tool's result, a long conversation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.injection.corpora import Text

LONG_CHARS = 32_768
"""What a long conversation comes to, at least."""
CONVERSATIONS = 60


class Asked(NamedTuple):
    """One request: its texts in order, and what kind it is."""

    texts: Sequence[str]
    kind: str


def benign(texts: Sequence[Text], dice: random.Random) -> list[Asked]:
    """Every benign text as a request of its own, and conversations made of several of them."""
    alone = [Asked([text.text], text.source) for text in texts if not text.attack]
    return [*alone, *(_conversation(texts, dice) for _ in range(CONVERSATIONS))]


def attacks(texts: Sequence[Text]) -> list[Asked]:
    """Every attack as a request of its own."""
    return [Asked([text.text], text.source) for text in texts if text.attack]


def hidden(texts: Sequence[Text], dice: random.Random) -> list[Asked]:
    """Attacks of one corpus between the lines of benign documents and tool results, as a tool would bring them."""
    hosts = [text.text for text in texts if text.source in ("tool results", "documents", "issues")]
    return [Asked([_laid_into(dice.choice(hosts), text.text, dice)], "hidden") for text in texts if text.attack]


def _laid_into(host: str, attack: str, dice: random.Random) -> str:
    at = host.rfind(" ", 0, dice.randrange(1, len(host))) + 1
    return f"{host[:at]}{attack} {host[at:]}"


def _conversation(texts: Sequence[Text], dice: random.Random) -> Asked:
    """Questions, documents, code, issues and tool results in turn until it is long."""
    kinds = ("questions", "writing", "code", "questions", "tool results", "documents", "issues")
    pools = {kind: [text.text for text in texts if text.source == kind and not text.attack] for kind in kinds}
    said: list[str] = []
    while sum(map(len, said)) < LONG_CHARS:
        said.append(dice.choice(pools[kinds[len(said) % len(kinds)]])[:6_000])
    return Asked(said, "conversations of 32 KB")
