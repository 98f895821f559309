"""What a state store must do, written as plainly as possible: every answer walks the whole history.

Times are whole microseconds, as stores count that cannot count in seconds exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from sentinel_core.state import Budget, Claim, Settlement, Window

GONE_TTL_S = 900
SECOND = 1_000_000


@dataclass
class Taken:
    """One admitted reservation. `step` and `settled_step` say what came first at one time."""

    reservation: str
    at: int
    step: int
    claims: Sequence[Claim]
    settlement: Settlement | None = None
    settled_at: int = 0
    settled_step: int = 0

    def units(self, claim: Window) -> int:
        """What the claim costs after all."""
        used = dict(self.settlement.units) if self.settlement else {}
        return max(0, used.get(claim.key, claim.cost))


@dataclass
class NaiveModel:
    """Every reservation that was ever admitted, and every id that was settled too early."""

    history: list[Taken] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)
    steps: count[int] = field(default_factory=count)

    def open(self, reservation: str, now: int) -> Taken | None:
        """The reservation, if it can still be settled."""
        for taken in self.history:
            ends = taken.at + max(span(claim) for claim in taken.claims)
            if taken.reservation == reservation and taken.settlement is None and now < ends:
                return taken
        return None

    def free(self, reservation: str, now: int) -> bool:
        """Whether the id may be admitted."""
        return self.open(reservation, now) is None and self.gone.get(reservation, now) <= now

    def used(self, claim: Claim, now: int) -> int | Fraction:
        """What is counted where this claim counts, in its unit."""
        here = claim.place
        same = [(other, taken) for taken in self.history for other in taken.claims if other.place == here]
        if isinstance(claim, Budget) and not same:
            return claim.spent_nanousd
        return COUNTS[here[0]](same, now)

    def fits(self, claim: Claim, now: int) -> bool:
        """Whether the claim alone could be admitted."""
        costs_nothing = isinstance(claim, Budget) and claim.reserve_nanousd == 0
        return costs_nothing or self.used(claim, now) + asked(claim) <= limit(claim)

    def admit(self, reservation: str, claims: Sequence[Claim], now: int) -> bool:
        """All or nothing."""
        admitted = self.free(reservation, now) and all(self.fits(claim, now) for claim in claims)
        if admitted:
            self.history.append(Taken(reservation, now, next(self.steps), claims))
        return admitted

    def settle(self, reservation: str, settlement: Settlement, now: int) -> str:
        """Once; an unknown id is gone."""
        taken = self.open(reservation, now)
        if taken is None:
            self.gone[reservation] = now + GONE_TTL_S * SECOND
            return "unknown"
        taken.settlement, taken.settled_at, taken.settled_step = settlement, now, next(self.steps)
        return "settled"


Same = Sequence[tuple[Claim, Taken]]


def logged(same: Same, now: int) -> int:
    """A sliding log: what was taken in the period that ends now."""
    return sum(taken.units(claim) for claim, taken in same if isinstance(claim, Window) and alive(claim, taken, now))


def slid(same: Same, now: int) -> Fraction:
    """Two counters: this period's, and as much of the last one's as lies in the window."""
    total = Fraction(0)
    for claim, taken in same:
        assert isinstance(claim, Window)
        period = micros(claim.period_s)
        age = now // period - taken.at // period
        if age <= 1:
            total += taken.units(claim) * (Fraction(period - now % period, period) if age else 1)
    return total


class Event(NamedTuple):
    """What put something into a bucket, or settled what it had put in."""

    at: int
    step: int
    claim: Window
    taken: Taken

    @property
    def settles(self) -> bool:
        return self.step != self.taken.step


def leaked(same: Same, now: int) -> Fraction:
    """A bucket with a leak, from the first admission on: what each event put in or took out."""
    level = drained = Fraction(0)
    marks: dict[int, Fraction] = {}
    rate, before = Fraction(0), 0
    for event in [*sorted(events(same)), None]:
        at = event.at if event else now
        out = min(level, (at - before) * rate)
        level, drained, before = level - out, drained + out, at
        if event is None:
            break
        _, _, claim, taken = event
        if not event.settles:
            rate = Fraction(max(1, claim.limit), micros(claim.period_s))
            level += claim.cost
            marks[taken.step] = drained + level
        elif alive(claim, taken, at):
            change = taken.units(claim) - claim.cost
            returned = min(Fraction(max(0, -change)), max(Fraction(0), marks[taken.step] - drained))
            level, drained = level + max(0, change) - returned, drained + returned
    return level


def events(same: Same) -> list[Event]:
    """Each admission, and each settlement that names the key."""
    found = []
    for claim, taken in same:
        assert isinstance(claim, Window)
        found.append(Event(taken.at, taken.step, claim, taken))
        if taken.settlement is not None and claim.key in dict(taken.settlement.units):
            found.append(Event(taken.settled_at, taken.settled_step, claim, taken))
    return found


def holders(same: Same, now: int) -> int:
    """Leases that neither ended nor were settled."""
    return sum(taken.settlement is None and alive(claim, taken, now) for claim, taken in same)


def money(same: Same, now: int) -> int:
    """What was spent, and what open reservations may still spend."""
    total = 0
    for number, (claim, taken) in enumerate(same):
        assert isinstance(claim, Budget)
        total += claim.spent_nanousd if number == 0 else 0
        if taken.settlement is not None:
            total += max(0, taken.settlement.nanousd)
        elif alive(claim, taken, now):
            total += claim.reserve_nanousd
    return total


COUNTS: dict[str, Callable[[Same, int], int | Fraction]] = {
    "exact": logged,
    "sliding_window": slid,
    "gcra": leaked,
    "lease": holders,
    "budget": money,
}


def alive(claim: Claim, taken: Taken, now: int) -> bool:
    """Whether its time is not over."""
    return now < taken.at + span(claim)


def span(claim: Claim) -> Fraction:
    """How long it counts by itself, in microseconds."""
    if isinstance(claim, Window):
        turns = {"exact": Fraction(1), "sliding_window": Fraction(2)}
        return micros(claim.period_s) * turns.get(claim.algorithm, Fraction(limit(claim), max(1, claim.limit)))
    return Fraction(micros(claim.ttl_s))


def limit(claim: Claim) -> int:
    """The limit, in the claim's own unit."""
    if isinstance(claim, Budget):
        return claim.limit_nanousd
    return claim.depth if isinstance(claim, Window) and claim.algorithm == "gcra" else claim.limit


def asked(claim: Claim) -> int:
    """What it asks for, in its own unit."""
    if isinstance(claim, Window):
        return claim.cost
    return claim.reserve_nanousd if isinstance(claim, Budget) else 1


def micros(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * SECOND)
