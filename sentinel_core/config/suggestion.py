"""A "did you mean" for names that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question, or an empty string where nothing is near."""
    return question(nearest(name, known))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest, if one is near."""
    return next(iter(get_close_matches(name.lower(), list(known), n=1)), None)


def question(near: str | None) -> str:
    """Whether that name was meant; an empty string for none."""
    return f"did you mean {near!r}?" if near is not None else ""
