"""How one step of `admit` looks at a claim, whatever it counts."""

from __future__ import annotations

from typing import Protocol

from sentinel_core.state import ClaimState, Settlement


class Held(Protocol):
    """What a reservation took for one claim."""

    @property
    def ends(self) -> float:
        """When it is over by itself."""
        ...

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace what was reserved by what was used."""
        ...

    def lapse(self, now: float) -> None:
        """The whole reservation's time is over and nobody settled: leave nothing behind."""
        ...


class Ask(Protocol):
    """One claim beside what is counted for it. Only `take` changes what is counted."""

    def fits(self) -> bool:
        """Whether this claim alone could be admitted."""
        ...

    def take(self, reservation: str, now: float) -> Held:
        """Count it."""
        ...

    def state(self, now: float, admitted: bool) -> ClaimState:
        """What to tell the caller, after the step."""
        ...
