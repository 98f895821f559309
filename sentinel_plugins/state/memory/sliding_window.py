"""Two counters that slide: the last period's, weighed by how much of it still lies in the window, and this one's.

At most `2 * limit - 1` units in a period (P1): `limit` at the end of one, `limit - 1` before the end of the next.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(slots=True)
class SlidingAsk:
    """A claim beside its counters. Weights are microseconds, so nothing is rounded."""

    all_counters: Recent[Counters]
    claim: Window
    counters: Counters
    now: int
    span: int
    before: int
    current: int

    @classmethod
    def of(cls, all_counters: Recent[Counters], claim: Window, now: float) -> SlidingAsk:
        """The claim beside the counters of its key; one that was never admitted has none."""
        counters = all_counters.get((claim.key, claim.period_s)) or Counters()
        at, span = microseconds(now), max(1, microseconds(claim.period_s))
        return cls(all_counters, claim, counters, at, span, *counters.seen_from(at // span))

    def fits(self) -> bool:
        """Whether the cost fits into what the two counters leave."""
        return self._used + self.claim.cost * self.span <= self.claim.limit * self.span

    def take(self, reservation: str, now: float) -> HeldCount:
        """Count it."""
        counters, claim, period = self.counters, self.claim, self.now // self.span
        counters.move_to(period)
        counters.current += claim.cost
        counters.ends = (period + 2) * self.span / 1e6
        self.current = counters.current
        self.all_counters.keep((claim.key, claim.period_s), counters)
        return HeldCount(claim, counters, period, now + claim.span_s)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that are left, and when both counters are at nought if nobody comes."""
        claim = self.claim
        left = max(0, claim.limit * self.span - self._used) // self.span
        periods = 2 if self.current else 1 if self.before else 0
        reset_s = wait_for((self.now // self.span + periods) * self.span, now) if periods else 0.0
        return ClaimState(claim.key, left, reset_s, admitted, None if admitted else self._wait(now))

    @property
    def _used(self) -> int:
        return self.before * (self.span - self.now % self.span) + self.current * self.span

    def _wait(self, now: float) -> float | None:
        """Until the older counter weighs little enough: this period's older one, or the next period's."""
        claim, start = self.claim, self.now // self.span * self.span
        if claim.cost > claim.limit:
            return None
        room, older = claim.limit - self.current - claim.cost, self.before
        if room < 0:
            start, room, older = start + self.span, claim.limit - claim.cost, self.current
        return wait_for(start + self.span - room * self.span // max(1, older), now)


@dataclass(slots=True)
class HeldCount:
    """Units in a period's counter that settle to what was used."""

    claim: Window
    counters: Counters
    period: int
    ends: float

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace the cost where the settlement names this key; a counter that counts no more stays as it is."""
        for key, units in settlement.units:
            if key == self.claim.key:
                change = max(0, units) - self.claim.cost
                if self.period == self.counters.period:
                    self.counters.current += change
                elif self.period == self.counters.period - 1:
                    self.counters.before += change

    def lapse(self, now: float) -> None:
        """Nothing to do: periods end by themselves."""
