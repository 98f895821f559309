"""A circuit, written as plainly as possible: every answer scans the whole history."""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel_plugins.breaker.config import BreakerConfig
from sentinel_plugins.breaker.window import SLICES, slice_number


@dataclass
class NaiveCircuit:
    limits: BreakerConfig
    era: int = 0
    until: float | None = None
    probes: int = 0
    openings: int = 0
    results: list[tuple[float, bool]] = field(default_factory=list)

    def admits(self, now: float) -> bool:
        """Whether a call may go up, which it then does."""
        if self.until is None:
            return True
        if now < self.until or self.probes:
            return False
        self.era, self.probes = self.era + 1, 1
        return True

    def heard(self, era: int) -> int:
        """A call's stream has begun; in which era it will end."""
        if era == self.era and self.until is not None:
            self.era, self.until, self.probes, self.results = self.era + 1, None, 0, []
            return self.era
        return era

    def ended(self, era: int, result: str, now: float) -> None:
        if era != self.era:
            return
        was_probe, self.probes = self.until is not None, 0
        if result == "success":
            self.openings = 0
        if result == "success" and was_probe:
            self.era, self.until, self.results = self.era + 1, None, []
        elif result in ("success", "failure") and not was_probe:
            self.results.append((now, result == "failure"))
        if result == "quarantine" or (result == "failure" and (was_probe or self.too_many(now))):
            wait = min(self.limits.recovery_timeout_s * 2**self.openings, self.limits.max_recovery_timeout_s)
            wait = max(wait, self.limits.quarantine_s) if result == "quarantine" else wait
            self.openings += result == "failure"
            self.era, self.until = self.era + 1, max(self.until or 0.0, now + wait)

    def too_many(self, now: float) -> bool:
        span, limits = self.limits.window_s, self.limits
        recent = [bad for at, bad in self.results if slice_number(at, span) > slice_number(now, span) - SLICES]
        last = [bad for _, bad in self.results[-limits.failure_threshold :]]
        in_row = len(last) == limits.failure_threshold and all(last)
        return in_row or (len(recent) >= limits.min_calls and sum(recent) >= limits.failure_rate * len(recent))
