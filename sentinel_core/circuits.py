"""Which state of several circuits says most of whoever is behind them."""

from __future__ import annotations

from collections.abc import Set

_WORST_FIRST = ("open", "half_open", "closed")


def worst(states: Set[str]) -> str | None:
    """The worst of these states; None without any."""
    return next((state for state in _WORST_FIRST if state in states), None)
