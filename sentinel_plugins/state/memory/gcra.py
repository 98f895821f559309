"""The generic cell rate algorithm, as a leaky bucket of integers: at most `burst + limit` units in a period (P1).

The level of a bucket is in units times microseconds of the period: a unit adds the period, a microsecond takes away
`limit`. So nothing is ever rounded, and rates that do not divide the period lose nothing.
"""

from __future__ import annotations

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


class GcraPart:
    """A claim beside its bucket; once taken, units in it that settle to what was used."""

    __slots__ = ("_bucket", "_buckets", "_level", "_mark", "_now", "claim", "ends", "fits")

    def __init__(self, buckets: Recent[Bucket], claim: Window, now: float) -> None:
        """The bucket is the key's; one that was never admitted has an empty one."""
        self._buckets = buckets
        self._bucket = buckets.get((claim.key, claim.period_s)) or Bucket()
        self._now = microseconds(now)
        self._level = self._bucket.level - self._bucket.leaked(self._now)
        self._mark = 0
        self.claim = claim
        self.ends = 0.0
        self.fits = self._excess <= 0

    def take(self, reservation: str, now: float) -> ClaimState:
        """Fill it in. From here on the bucket leaks at this claim's rate."""
        bucket, claim = self._bucket, self.claim
        bucket.leak(self._now)
        bucket.level += claim.cost * unit_of(claim)
        bucket.rate = max(1, claim.limit)
        self._level = bucket.level
        self._mark = bucket.drained + bucket.level
        self.ends = now + claim.span_s
        bucket.ends = max(bucket.ends, self.ends)
        self._buckets.keep((claim.key, claim.period_s), bucket, now)
        return self.state(now, True)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that there is room for, and when the bucket is empty if nobody comes."""
        claim, unit = self.claim, unit_of(self.claim)
        wait = None
        if not admitted and claim.cost <= claim.depth:
            wait = self._wait(self._excess, now)
        left = max(0, claim.depth * unit - self._level) // unit
        return ClaimState(claim.key, left, self._wait(self._level, now), admitted, wait)

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace the cost where the settlement names this key.

        Only what has not leaked out yet returns, and it counts as drained: else a bucket that others filled meanwhile
        would be emptied for units that left it long ago, and the bound would not hold.
        """
        bucket = self._bucket
        for key, units in settlement.units:
            if key == self.claim.key and self.ends > now:
                bucket.leak(microseconds(now))
                change = (max(0, units) - self.claim.cost) * unit_of(self.claim)
                returned = min(-change, max(0, self._mark - bucket.drained)) if change < 0 else 0
                bucket.drained += returned
                bucket.level += max(0, change) - returned

    def lapse(self, now: float) -> None:
        """Nothing to do: buckets leak by themselves."""

    @property
    def _excess(self) -> int:
        return self._level + (self.claim.cost - self.claim.depth) * unit_of(self.claim)

    def _wait(self, amount: int, now: float) -> float:
        """How long until so much has left, at the rate at which the bucket leaks now."""
        return wait_for(self._now + -(-amount // self._bucket.rate), now) if amount > 0 else 0.0
