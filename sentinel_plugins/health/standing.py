"""What is thought of one provider, from its health check and its breakers."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal, TypeAlias

import msgspec

from sentinel_core.circuits import worst
from sentinel_core.provider import Health

Status: TypeAlias = Literal["healthy", "degraded", "unhealthy", "unknown"]
_STATUSES: Mapping[str, Status] = {"healthy": "healthy", "degraded": "degraded", "unknown": "unknown"}


class Standing(msgspec.Struct, frozen=True):
    """One provider at one moment. `breaker` is the worst state of its targets' breakers, None without any.

    `down_since` is when the present outage began, in seconds since the epoch; None while there is none.
    """

    status: Status
    health: Health
    breaker: str | None = None
    checked_at: float = 0.0
    down_since: float | None = None

    @property
    def well(self) -> bool:
        """Nothing bad is known of it."""
        return self.status in ("healthy", "unknown")


def standing(before: Standing | None, health: Health, circuits: Set[str], at: float) -> Standing:
    """What is thought of a provider after a look at it at `at`, in seconds since the epoch.

    `circuits` are the states of its targets' circuits. Unhealthy: the check failed, or all of them are open. Degraded:
    some are not closed. An outage begins with unhealthy and ends with the first standing that is well.
    """
    status: Status = _STATUSES.get(health.status, "unhealthy")
    if circuits == {"open"}:
        status = "unhealthy"
    elif status != "unhealthy" and circuits - {"closed"}:
        status = "degraded"
    down_since = before.down_since if before is not None else None
    if status == "unhealthy" and down_since is None:
        down_since = at
    elif status in ("healthy", "unknown"):
        down_since = None
    return Standing(status, health, worst(circuits), at, down_since)
