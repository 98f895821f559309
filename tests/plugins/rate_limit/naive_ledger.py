"""What admission should do, in the fewest lines: lists that are read from end to end."""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel_core.limits import NANO, Limits

IN, OUT = 1_000, 10_000  # nano-dollars a token, as in the scene


@dataclass
class Taken:
    """One request that was admitted: when, what it reserved, and what it used once it has ended."""

    at: float
    tokens: int
    nanousd: int
    lease_ends: float
    open: bool = True


@dataclass
class NaiveLedger:
    """One key with a limit of every kind."""

    limits: Limits
    ttl_s: float
    taken: list[Taken] = field(default_factory=list)

    def requests(self, now: float) -> int:
        return sum(one.at + 60.0 > now for one in self.taken)

    def tokens(self, now: float) -> int:
        return sum(one.tokens for one in self.taken if one.at + 60.0 > now)

    def places(self, now: float) -> int:
        return sum(one.open and one.lease_ends > now for one in self.taken)

    def nanousd(self, now: float) -> int:
        """Spent, and reserved by who has not ended and may still."""
        return sum(one.nanousd for one in self.taken if not one.open or one.lease_ends > now)

    def refused(self, tokens: int, nanousd: int, now: float) -> str | None:
        """The code of the refusal, or None."""
        limits = self.limits
        assert limits.requests_per_minute is not None
        assert limits.tokens_per_minute is not None
        assert limits.max_concurrency is not None
        assert limits.total_usd is not None
        if nanousd and self.nanousd(now) + nanousd > round(limits.total_usd * NANO):
            return "insufficient_quota"
        if self.places(now) + 1 > limits.max_concurrency:
            return "concurrency_limit_exceeded"
        too_many = self.requests(now) + 1 > limits.requests_per_minute
        return "rate_limit_exceeded" if too_many or self.tokens(now) + tokens > limits.tokens_per_minute else None

    def admit(self, tokens: int, nanousd: int, now: float) -> Taken:
        taken = Taken(now, tokens, nanousd, now + self.ttl_s)
        self.taken.append(taken)
        return taken
