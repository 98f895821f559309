"""Concurrency: at most N holders of a key at a time."""

from __future__ import annotations

from sentinel_core.state import ClaimState, Lease, Settlement
from sentinel_plugins.state.memory.holds import Holds


class Leases:
    """The holders of every key that has some. There are never more of them than open reservations hold."""

    __slots__ = ("_holds",)

    def __init__(self) -> None:
        self._holds: dict[str, Holds] = {}

    def __len__(self) -> int:
        return len(self._holds)

    def ask(self, claim: Lease, now: float) -> LeasePart:
        """The claim beside its holders."""
        holds = self._holds.get(claim.key)
        if holds is None:
            return LeasePart(self, claim, Holds())
        holds.expire(now)
        return LeasePart(self, claim, holds)

    def add(self, key: str, holds: Holds, reservation: str, ends: float) -> None:
        """One more among the holders of that key; the first one makes it known."""
        self._holds[key] = holds
        holds.add(reservation, 1, ends)

    def release(self, key: str, reservation: str) -> None:
        """One holder fewer; a key without holders is forgotten."""
        holds = self._holds.get(key)
        if holds is not None:
            holds.release(reservation)
            if not holds:
                del self._holds[key]


class LeasePart:
    """A claim beside the holders of its key; once taken, one holder's place."""

    __slots__ = ("_holds", "_leases", "_reservation", "claim", "ends")
    unknown = False

    def __init__(self, leases: Leases, claim: Lease, holds: Holds) -> None:
        self._leases = leases
        self._holds = holds
        self._reservation = ""
        self.claim = claim
        self.ends = 0.0

    def fits(self) -> bool:
        """Whether there is room for one more holder."""
        return self._holds.total < self.claim.limit

    def take(self, reservation: str, now: float) -> None:
        """Become a holder."""
        self.ends = now + self.claim.ttl_s
        self._reservation = reservation
        self._leases.add(self.claim.key, self._holds, reservation, self.ends)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Places that are left. Waiting alone helps when leases end that nobody settles."""
        claim, holds = self.claim, self._holds
        wait = None
        if not admitted and claim.limit > 0:
            wait = holds.wait(holds.total + 1 - claim.limit, now)
        return ClaimState(claim.key, max(0, claim.limit - holds.total), holds.reset(now), admitted, wait)

    def settle(self, settlement: Settlement, now: float) -> None:
        """Leave the place."""
        self._leases.release(self.claim.key, self._reservation)

    def lapse(self, now: float) -> None:
        """Leave the place: its time is over."""
        self._leases.release(self.claim.key, self._reservation)
