"""How one step of `admit` and its settlement look at a claim, whatever it counts."""

from __future__ import annotations

from typing import Protocol

from sentinel_core.state import ClaimState, Settlement


class Part(Protocol):
    """One claim beside what is counted for it; once taken, what its reservation holds there.

    `fits` is whether this claim alone could be taken. `ends` is when what was taken is over by itself.
    """

    fits: bool
    ends: float

    def take(self, reservation: str, now: float) -> ClaimState:
        """Count it, and say what is left."""
        ...

    def state(self, now: float, admitted: bool) -> ClaimState:
        """What to tell the caller of a step that was not taken. A claim of which nobody knows yet what was used may be
        said to be admitted all the same, if that is all that is amiss."""
        ...

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace what was reserved by what was used. Once, of a part that was taken."""
        ...

    def lapse(self, now: float) -> None:
        """`ends` is over and nobody settled: leave nothing behind. A settlement may still come."""
        ...
