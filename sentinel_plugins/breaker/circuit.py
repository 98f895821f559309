"""One target's circuit: closed, open or half-open. No I/O, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sentinel_core.circuits import CircuitState
from sentinel_plugins.breaker.config import BreakerConfig
from sentinel_plugins.breaker.window import Window

Result: TypeAlias = Literal["success", "failure", "quarantine", "neutral"]
"""What a call said about its target. `neutral` says nothing: 429, the caller's mistakes, callers who left."""

PROBED_S = 1.0
"""What a caller is told to wait while a probe is on its way: it may be over at any moment."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call. Whoever got it settles it exactly once, whatever becomes of the call."""

    generation: int
    probe: bool


class Circuit:
    """Opens after failures in a row or at a share of failures; lets one probe through when it has waited.

    Every change of state begins a new generation, and results of an older one are ignored: a call that began before
    the circuit opened says nothing about the target afterwards. It stays open longer each time it opens again without a
    success in between. All times are monotonic seconds.
    """

    __slots__ = (
        "_failures_in_row",
        "_generation",
        "_openings",
        "_probing",
        "_until",
        "_window",
        "limits",
        "state",
    )

    def __init__(self, limits: BreakerConfig) -> None:
        self.limits = limits
        self.state: CircuitState = "closed"
        self._generation = 0
        self._failures_in_row = 0
        self._openings = 0  # since the last success
        self._probing = False
        self._until = 0.0
        self._window = Window()

    def follow(self, limits: BreakerConfig) -> None:
        """Go by these limits from now on. A window of another length begins empty: its slices are others."""
        if limits.window_s != self.limits.window_s:
            self._window = Window()
        self.limits = limits

    def acquire(self, now: float) -> Permit | float:
        """Leave for one call, or the seconds until it is worth asking again."""
        if self.state == "closed":
            return Permit(self._generation, probe=False)
        if self.state == "open":
            if now < self._until:
                return self._until - now
            self._enter("half_open")
        if self._probing:
            return PROBED_S
        self._probing = True
        return Permit(self._generation, probe=True)

    def heard(self, permit: Permit) -> Permit:
        """A call's stream has begun. A probe's target answers again: others need not wait until that stream is over.

        Returns the permit to settle with in the end.
        """
        if not permit.probe or permit.generation != self._generation:
            return permit
        self._close()
        return Permit(self._generation, probe=False)

    def settle(self, permit: Permit, result: Result, now: float) -> None:
        """Say what became of a call."""
        if permit.generation != self._generation:
            return
        if permit.probe:
            self._probing = False
        if result == "quarantine":
            self._open(now, self.limits.quarantine_s)
        elif result == "neutral":
            return
        elif permit.probe:
            self._probed(now, failed=result == "failure")
        else:
            self._count(now, failed=result == "failure")

    def remaining_s(self, now: float) -> float:
        """How long the circuit stays open yet."""
        return max(0.0, self._until - now) if self.state == "open" else 0.0

    def shown(self, now: float) -> CircuitState:
        """The state as people see it: `half_open` also where the wait is over, since the next call is the probe."""
        return "half_open" if self.state == "open" and now >= self._until else self.state

    def _probed(self, now: float, *, failed: bool) -> None:
        if failed:
            self._open(now)
            return
        self._openings = 0
        self._close()

    def _count(self, now: float, *, failed: bool) -> None:
        limits, window = self.limits, self._window
        window.add(now, limits.window_s, failed=failed)
        self._failures_in_row = self._failures_in_row + 1 if failed else 0
        if not failed:
            self._openings = 0
            return
        too_many = window.calls >= limits.min_calls and window.failures >= limits.failure_rate * window.calls
        if too_many or self._failures_in_row >= limits.failure_threshold:
            self._open(now)

    def _open(self, now: float, at_least_s: float = 0.0) -> None:
        """Open, or open again: the new end is never earlier than the old one."""
        limits = self.limits
        cap = max(limits.max_recovery_timeout_s, limits.recovery_timeout_s)
        waits = min(limits.recovery_timeout_s * 2**self._openings, cap)
        if not at_least_s:
            self._openings = min(self._openings + 1, 32)  # beyond any cap; a float has no more room for ever
        self._until = max(self._until, now + max(waits, at_least_s))
        self._enter("open")

    def _close(self) -> None:
        self._failures_in_row = 0
        self._window = Window()
        self._enter("closed")

    def _enter(self, state: CircuitState) -> None:
        self.state = state
        self._generation += 1
        self._probing = False
