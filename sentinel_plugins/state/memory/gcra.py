"""The generic cell rate algorithm, as a leaky bucket of integers: at most `burst + limit` units in a period (P1).

The level of a bucket is in units times microseconds of the period: a unit adds the period, a microsecond takes away
`limit`. So nothing is ever rounded, and rates that do not divide the period lose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sentinel_core.state import ClaimState, Settlement, Window
from sentinel_plugins.state.memory.clock import microseconds, wait_for
from sentinel_plugins.state.memory.recent import Recent


class Bucket:
    """What one key holds: `level` as it was at `at`, since then leaking `rate` per microsecond.

    `drained` is all that ever left it. A reservation's units leave in their turn: they are out when `drained` has
    reached the level that its admission left behind, counted from there.
    """

    __slots__ = ("at", "drained", "ends", "level", "rate")

    def __init__(self) -> None:
        self.level = self.drained = self.at = 0
        self.rate = 1
        self.ends = 0.0

    def leaked(self, now: int) -> int:
        """What has left since `at`."""
        return min(self.level, (now - self.at) * self.rate)

    def leak(self, now: int) -> None:
        """Write down what has left until now."""
        leaked = self.leaked(now)
        self.level -= leaked
        self.drained += leaked
        self.at = now

    def idle(self, now: float) -> bool:
        """Whether it is empty, and nobody who filled it may still settle for more."""
        return self.ends <= now and self.leaked(microseconds(now)) == self.level


def unit_of(claim: Window) -> int:
    """What one unit adds to a level."""
    return max(1, microseconds(claim.period_s))


@dataclass(slots=True)
class GcraAsk:
    """A claim beside its bucket."""

    buckets: Recent[Bucket]
    claim: Window
    bucket: Bucket
    now: int
    level: int

    @classmethod
    def of(cls, buckets: Recent[Bucket], claim: Window, now: float) -> GcraAsk:
        """The claim beside the bucket of its key; one that was never admitted has an empty one."""
        bucket = buckets.get((claim.key, claim.period_s)) or Bucket()
        at = microseconds(now)
        return cls(buckets, claim, bucket, at, bucket.level - bucket.leaked(at))

    def fits(self) -> bool:
        """Whether the bucket has room for the cost."""
        return self._excess <= 0

    def take(self, reservation: str, now: float) -> HeldLevel:
        """Fill it in. From here on the bucket leaks at this claim's rate."""
        bucket, claim = self.bucket, self.claim
        bucket.leak(self.now)
        bucket.level += claim.cost * unit_of(claim)
        bucket.rate = max(1, claim.limit)
        self.level = bucket.level
        ends = now + claim.span_s
        bucket.ends = max(bucket.ends, ends)
        self.buckets.keep((claim.key, claim.period_s), bucket)
        return HeldLevel(claim, bucket, bucket.drained + bucket.level, ends)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that there is room for, and when the bucket is empty if nobody comes."""
        claim, unit = self.claim, unit_of(self.claim)
        wait = None
        if not admitted and claim.cost <= claim.depth:
            wait = self._wait(self._excess, now)
        left = max(0, claim.depth * unit - self.level) // unit
        return ClaimState(claim.key, left, self._wait(self.level, now), admitted, wait)

    @property
    def _excess(self) -> int:
        return self.level + (self.claim.cost - self.claim.depth) * unit_of(self.claim)

    def _wait(self, amount: int, now: float) -> float:
        """How long until so much has left, at the rate at which the bucket leaks now."""
        return wait_for(self.now + -(-amount // self.bucket.rate), now) if amount > 0 else 0.0


@dataclass(slots=True)
class HeldLevel:
    """Units in a bucket that settle to what was used."""

    claim: Window
    bucket: Bucket
    mark: int
    ends: float

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace the cost where the settlement names this key.

        Only what has not leaked out yet returns, and it counts as drained: else a bucket that others filled meanwhile
        would be emptied for units that left it long ago, and the bound would not hold.
        """
        for key, units in settlement.units:
            if key == self.claim.key and self.ends > now:
                self.bucket.leak(microseconds(now))
                change = (max(0, units) - self.claim.cost) * unit_of(self.claim)
                returned = min(-change, max(0, self.mark - self.bucket.drained)) if change < 0 else 0
                self.bucket.drained += returned
                self.bucket.level += max(0, change) - returned

    def lapse(self, now: float) -> None:
        """Nothing to do: buckets leak by themselves."""
