"""Concurrency: at most N holders of a key at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel_core.state import ClaimState, Lease, Settlement
from sentinel_plugins.state.memory.holds import Holds


class Leases:
    """The holders of every key that has some. There are never more of them than open reservations hold."""

    __slots__ = ("_holds",)

    def __init__(self) -> None:
        self._holds: dict[str, Holds] = {}

    def __len__(self) -> int:
        return len(self._holds)

    def ask(self, claim: Lease, now: float) -> LeaseAsk:
        """The claim beside its holders."""
        holds = self._holds.get(claim.key)
        if holds is None:
            return LeaseAsk(self, claim, Holds())
        holds.expire(now)
        return LeaseAsk(self, claim, holds)

    def add(self, key: str, reservation: str, ends: float) -> Holds:
        """One more holder."""
        holds = self._holds.setdefault(key, Holds())
        holds.add(reservation, 1, ends)
        return holds

    def release(self, key: str, reservation: str) -> None:
        """One holder fewer; a key without holders is forgotten."""
        holds = self._holds.get(key)
        if holds is not None:
            holds.release(reservation)
            if not holds:
                del self._holds[key]


@dataclass(slots=True)
class LeaseAsk:
    """A lease claim beside the holders of its key."""

    leases: Leases
    claim: Lease
    holds: Holds

    def fits(self) -> bool:
        """Whether there is room for one more holder."""
        return self.holds.total < self.claim.limit

    def take(self, reservation: str, now: float) -> HeldLease:
        """Become a holder."""
        ends = now + self.claim.ttl_s
        self.holds = self.leases.add(self.claim.key, reservation, ends)
        return HeldLease(self.leases, self.claim.key, reservation, ends)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Places that are left. Waiting alone helps when leases end that nobody settles."""
        claim, holds = self.claim, self.holds
        wait = None
        if not admitted and claim.limit > 0:
            wait = holds.wait(holds.total + 1 - claim.limit, now)
        return ClaimState(claim.key, max(0, claim.limit - holds.total), holds.reset(now), admitted, wait)


@dataclass(slots=True)
class HeldLease:
    """One holder's place."""

    leases: Leases
    key: str
    reservation: str
    ends: float

    def settle(self, settlement: Settlement, now: float) -> None:
        """Leave the place."""
        self.leases.release(self.key, self.reservation)

    def lapse(self, now: float) -> None:
        """Leave the place: its time is over."""
        self.leases.release(self.key, self.reservation)
