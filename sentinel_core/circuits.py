"""What the states of circuits say of whoever is behind them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["healthy", "degraded", "unhealthy", "unknown"]
_CHECKED: Mapping[str, Status] = {"healthy": "healthy", "degraded": "degraded", "unknown": "unknown"}
_WORST_FIRST = ("open", "half_open", "closed")


def worst(states: Set[str]) -> str | None:
    """The worst of these states; None without any."""
    return next((state for state in _WORST_FIRST if state in states), None)


def judged(checked: str, circuits: Set[str]) -> Status:
    """What is thought of a provider whose health check says `checked`, and whose targets' circuits are in these states.

    Unhealthy: the check failed, or all circuits are open. Degraded: some are not closed.
    """
    status = _CHECKED.get(checked, "unhealthy")
    if circuits == {"open"}:
        return "unhealthy"
    return "degraded" if status != "unhealthy" and circuits - {"closed"} else status
