"""What requests and calls came to: counts since the start, and rates over the latest ones."""

from __future__ import annotations

from collections import deque

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.context import Context, Outcome
from sentinel_core.reroute import Reroute

LATEST = 1_000
"""How many of the latest requests, or calls of one provider, a rate or an average looks at."""


class Rolling:
    """The latest results and times. Adding is O(1); reading goes through what is kept."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: deque[tuple[bool, float]] = deque(maxlen=LATEST)

    def add(self, good: bool, elapsed_s: float) -> None:
        """One result."""
        self._latest.append((good, elapsed_s))

    @property
    def success_rate_pct(self) -> float | None:
        """Successes in a hundred; None before the first result."""
        if not self._latest:
            return None
        return round(100 * sum(good for good, _ in self._latest) / len(self._latest), 2)

    @property
    def avg_latency_ms(self) -> float | None:
        """The mean time of successes in milliseconds; None before the first one."""
        times = [elapsed_s for good, elapsed_s in self._latest if good]
        return round(1000 * sum(times) / len(times), 2) if times else None


class Calls:
    """The calls of one provider."""

    __slots__ = ("failures", "rolling", "successes", "total")

    def __init__(self) -> None:
        self.total = 0
        self.successes = 0
        self.failures = 0
        self.rolling = Rolling()

    def add(self, row: Attempt) -> None:
        """One attempt. What the caller caused, a limit, or a call that somebody gave up is neither good nor bad; one
        that was never made is none."""
        if row.error == NOT_CALLED:
            return
        self.total += 1
        good = row.error is None and row.ending == "completed"
        if not good and not row.is_bad:
            return
        self.successes += good
        self.failures += not good
        self.rolling.add(good, (row.ended or row.started) - row.started)


class Traffic:
    """Counts of one process. `active` is the provider that answered last."""

    __slots__ = ("active", "failovers", "failures", "providers", "requests", "rolling", "successes")

    def __init__(self) -> None:
        self.requests = 0
        self.successes = 0
        self.failures = 0
        self.failovers = 0
        self.active: str | None = None
        self.providers: dict[str, Calls] = {}
        self.rolling = Rolling()

    def add(self, ctx: Context, outcome: Outcome, reroute: Reroute) -> None:
        """One exchange that is over. Refused and cancelled ones count as requests only."""
        self.requests += 1
        for row in ctx.attempts:
            self.providers.setdefault(row.target.provider, Calls()).add(row)
        if outcome.status in ("completed", "failed"):
            good = outcome.status == "completed"
            self.successes += good
            self.failures += not good
            self.rolling.add(good, outcome.elapsed_s)
        if reroute.occurred:
            self.failovers += 1
        if reroute.used is not None and outcome.status == "completed":
            self.active = reroute.used.provider
