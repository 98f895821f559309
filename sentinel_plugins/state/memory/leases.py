"""Concurrency: at most N holders of a key at a time."""

from __future__ import annotations

import msgspec

from sentinel_core.state import ClaimState, Lease, Settlement
from sentinel_plugins.state.memory.holds import Holds


class Leases:
    """The holders of every key that has some. There are never more of them than open reservations hold."""

    __slots__ = ("by_key",)

    def __init__(self) -> None:
        self.by_key: dict[str, Holds] = {}

    def __len__(self) -> int:
        return len(self.by_key)

    def ask(self, claim: Lease, now: float) -> LeasePart:
        """The claim beside its holders."""
        holds = self.by_key.get(claim.key) or Holds()
        return LeasePart(self, claim, holds, holds.total < claim.limit)


class LeasePart(msgspec.Struct):
    """A claim beside the holders of its key; once taken, one holder's place."""

    leases: Leases
    claim: Lease
    holds: Holds
    fits: bool
    reservation: str = ""
    ends: float = 0.0

    def take(self, reservation: str, now: float) -> ClaimState:
        """Become a holder; the first one makes the key known."""
        claim, holds = self.claim, self.holds
        self.ends = now + claim.ttl_s
        self.reservation = reservation
        self.leases.by_key[claim.key] = holds
        reset_s = holds.add(reservation, 1, now, claim.ttl_s)
        return ClaimState(claim.key, claim.limit - holds.total, reset_s, True)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Places that are left. Waiting alone helps when leases end that nobody settles."""
        claim, holds = self.claim, self.holds
        wait = None
        if not admitted and claim.limit > 0:
            wait = holds.wait(holds.total + 1 - claim.limit, now)
        return ClaimState(claim.key, max(0, claim.limit - holds.total), holds.reset(now), admitted, wait)

    def settle(self, settlement: Settlement, now: float) -> None:
        """Leave the place; a key without holders is forgotten."""
        holds, by_key, key = self.holds, self.leases.by_key, self.claim.key
        holds.release(self.reservation)
        if not holds.total and by_key.get(key) is holds:  # each holds one place
            del by_key[key]

    def lapse(self, now: float) -> None:
        """Leave the place: nobody said that it is free."""
        self.settle(Settlement(), now)
