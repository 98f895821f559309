"""A part of a whole."""

from __future__ import annotations


def share(part: int, whole: int) -> float | None:
    """A share; none of nothing."""
    return part / whole if whole else None
