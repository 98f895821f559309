"""Two counters that slide: the last period's, weighed by how much of it still lies in the window, and this one's.

At most `2 * limit - 1` units in a period (P1): `limit` at the end of one, `limit - 1` before the end of the next.
"""

from __future__ import annotations

from sentinel_core.state import ClaimState, Settlement, Window
from sentinel_plugins.state.memory.clock import microseconds, wait_for
from sentinel_plugins.state.memory.recent import Recent


class Counters:
    """What was admitted in the period of number `period`, and in the one before it."""

    __slots__ = ("before", "current", "ends", "period")

    def __init__(self) -> None:
        self.before = self.current = self.period = 0
        self.ends = 0.0

    def seen_from(self, period: int) -> tuple[int, int]:
        """The counters of that period and of the one before it, older first. Time never goes back."""
        if period == self.period:
            return self.before, self.current
        return (self.current if period == self.period + 1 else 0), 0

    def move_to(self, period: int) -> None:
        """From here on that period is counted."""
        self.before, self.current = self.seen_from(period)
        self.period = period

    def idle(self, now: float) -> bool:
        """Whether both of its periods are over."""
        return self.ends <= now


class SlidingPart:
    """A claim beside its counters; once taken, units in a period's counter that settle to what was used.

    Weights are microseconds, so nothing is rounded.
    """

    __slots__ = (
        "_all_counters",
        "_before",
        "_counters",
        "_current",
        "_now",
        "_period",
        "_span",
        "claim",
        "ends",
        "fits",
    )

    def __init__(self, all_counters: Recent[Counters], claim: Window, now: float) -> None:
        """The counters are the key's; one that was never admitted has none."""
        self._all_counters = all_counters
        self._counters = all_counters.get((claim.key, claim.period_s)) or Counters()
        self._now = microseconds(now)
        self._span = max(1, microseconds(claim.period_s))
        self._period = self._now // self._span
        self._before, self._current = self._counters.seen_from(self._period)
        self.claim = claim
        self.ends = 0.0
        self.fits = self._used + claim.cost * self._span <= claim.limit * self._span

    def take(self, reservation: str, now: float) -> ClaimState:
        """Count it."""
        counters, claim = self._counters, self.claim
        counters.move_to(self._period)
        counters.current += claim.cost
        counters.ends = (self._period + 2) * self._span / 1e6
        self._current = counters.current
        self.ends = now + claim.span_s
        self._all_counters.keep((claim.key, claim.period_s), counters, now)
        return self.state(now, True)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that are left, and when both counters are at nought if nobody comes."""
        claim = self.claim
        left = max(0, claim.limit * self._span - self._used) // self._span
        periods = 2 if self._current else 1 if self._before else 0
        reset_s = wait_for((self._period + periods) * self._span, now) if periods else 0.0
        return ClaimState(claim.key, left, reset_s, admitted, None if admitted else self._wait(now))

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace the cost where the settlement names this key; a counter that counts no more stays as it is."""
        counters = self._counters
        for key, units in settlement.units:
            if key == self.claim.key:
                change = max(0, units) - self.claim.cost
                if self._period == counters.period:
                    counters.current += change
                elif self._period == counters.period - 1:
                    counters.before += change

    def lapse(self, now: float) -> None:
        """Nothing to do: periods end by themselves."""

    @property
    def _used(self) -> int:
        return self._before * (self._span - self._now % self._span) + self._current * self._span

    def _wait(self, now: float) -> float | None:
        """Until the older counter weighs little enough: this period's older one, or the next period's."""
        claim, start = self.claim, self._period * self._span
        if claim.cost > claim.limit:
            return None
        room, older = claim.limit - self._current - claim.cost, self._before
        if room < 0:
            start, room, older = start + self._span, claim.limit - claim.cost, self._current
        return wait_for(start + self._span - room * self._span // max(1, older), now)
