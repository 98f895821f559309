"""A "did you mean" for names that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question, or an empty string where nothing is near."""
    near = get_close_matches(name.lower(), list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""
