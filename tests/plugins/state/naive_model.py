"""What a state store must do, written as plainly as possible: every answer scans the whole history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sentinel_core.state import Budget, Claim, Lease, Settlement, Window
from sentinel_plugins.state.memory.reservations import GONE_TTL_S


@dataclass
class Taken:
    """One admitted reservation."""

    reservation: str
    at: float
    claims: Sequence[Claim]
    settlement: Settlement | None = None


@dataclass
class NaiveModel:
    """Every reservation that was ever admitted, and every id that was settled too early."""

    history: list[Taken] = field(default_factory=list)
    gone: dict[str, float] = field(default_factory=dict)

    def open(self, reservation: str, now: float) -> Taken | None:
        """The reservation, if it can still be settled."""
        for taken in self.history:
            ends = taken.at + max(span(claim) for claim in taken.claims)
            if taken.reservation == reservation and taken.settlement is None and now < ends:
                return taken
        return None

    def free(self, reservation: str, now: float) -> bool:
        """Whether the id may be admitted."""
        return self.open(reservation, now) is None and self.gone.get(reservation, now) <= now

    def used(self, claim: Claim, now: float) -> int:
        """What is counted where this claim counts."""
        same = ((other, taken) for taken in self.history for other in taken.claims if place(other) == place(claim))
        return sum(units(other, taken, now) for other, taken in same)

    def fits(self, claim: Claim, now: float) -> bool:
        """Whether the claim alone could be admitted."""
        costs_nothing = isinstance(claim, Budget) and claim.reserve_nanousd == 0
        return costs_nothing or self.used(claim, now) + asked(claim) <= limit(claim)

    def admit(self, reservation: str, claims: Sequence[Claim], now: float) -> bool:
        """All or nothing."""
        admitted = self.free(reservation, now) and all(self.fits(claim, now) for claim in claims)
        if admitted:
            self.history.append(Taken(reservation, now, claims))
        return admitted

    def settle(self, reservation: str, settlement: Settlement, now: float) -> str:
        """Once; an unknown id is gone."""
        taken = self.open(reservation, now)
        if taken is None:
            self.gone[reservation] = now + GONE_TTL_S
            return "unknown"
        taken.settlement = settlement
        return "settled"


def units(claim: Claim, taken: Taken, now: float) -> int:
    """What one admitted claim counts at `now`."""
    alive, settled = now < taken.at + span(claim), taken.settlement
    if isinstance(claim, Window):
        cost = dict(settled.units).get(claim.key, claim.cost) if settled else claim.cost
        return max(0, cost) if alive else 0
    if isinstance(claim, Lease):
        return 1 if alive and settled is None else 0
    if settled is not None:
        return max(0, settled.nanousd)
    return claim.reserve_nanousd if alive else 0


def span(claim: Claim) -> float:
    """How long it counts by itself, in seconds."""
    return claim.period_s if isinstance(claim, Window) else claim.ttl_s


def limit(claim: Claim) -> int:
    """The limit, in the claim's own unit."""
    return claim.limit_nanousd if isinstance(claim, Budget) else claim.limit


def asked(claim: Claim) -> int:
    """What it asks for, in its own unit."""
    if isinstance(claim, Window):
        return claim.cost
    return claim.reserve_nanousd if isinstance(claim, Budget) else 1


def place(claim: Claim) -> tuple[str, str, object]:
    """What is counted."""
    if isinstance(claim, Window):
        return ("window", claim.key, claim.period_s)
    return ("budget", claim.key, claim.period) if isinstance(claim, Budget) else ("lease", claim.key, None)
