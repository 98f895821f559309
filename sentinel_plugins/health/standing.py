"""What is thought of one provider, from its health check and its breakers."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from sentinel_core.circuits import CircuitState, Status, judged, worst
from sentinel_core.provider import Health


class Standing(msgspec.Struct, frozen=True):
    """One provider at one moment. `breaker` is the worst state of its targets' breakers, None without any.

    `checked_at` is seconds since the epoch; `down_since`, when the present outage began, is monotonic, for it makes a
    duration, and None while there is none.
    """

    status: Status
    health: Health
    breaker: CircuitState | None = None
    checked_at: float = 0.0
    down_since: float | None = None

    @property
    def well(self) -> bool:
        """Nothing bad is known of it."""
        return self.status in ("healthy", "unknown")


def standing(before: Standing | None, health: Health, circuits: Set[CircuitState], at: float, now: float) -> Standing:
    """What is thought of a provider after a look at it, `at` seconds since the epoch and `now` on the monotonic clock.

    `circuits` are the states of its targets' circuits. An outage begins with unhealthy and ends with the first standing
    that is well.
    """
    status = judged(health.status, circuits)
    down_since = before.down_since if before is not None else None
    if status == "unhealthy" and down_since is None:
        down_since = now
    elif status in ("healthy", "unknown"):
        down_since = None
    return Standing(status, health, worst(circuits), at, down_since)
