"""What the states of circuits say of whoever is behind them."""

from __future__ import annotations

from collections.abc import Set
from typing import Literal, TypeAlias

CircuitState: TypeAlias = Literal["closed", "open", "half_open"]
Status: TypeAlias = Literal["healthy", "degraded", "unhealthy", "unknown"]
_WORST_FIRST: tuple[CircuitState, ...] = ("open", "half_open", "closed")


def worst(states: Set[CircuitState]) -> CircuitState | None:
    """The worst of these states; None without any."""
    return next((state for state in _WORST_FIRST if state in states), None)


def judged(checked: Status, circuits: Set[CircuitState]) -> Status:
    """What is thought of a provider whose health check says `checked`, and whose targets' circuits are in these states.

    Unhealthy: the check failed, or all circuits are open. Degraded: some are not closed.
    """
    if circuits == {"open"}:
        return "unhealthy"
    return "degraded" if checked != "unhealthy" and circuits - {"closed"} else checked
