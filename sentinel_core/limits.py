"""What somebody may use: requests, tokens, calls at one time, money. The same table for a tenant, a key and a user."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from sentinel_core.json_types import JsonObject

NANO = 1_000_000_000
"""Nano-dollars in a dollar: money is an integer of them inside, and dollars in files."""

Unit: TypeAlias = Literal["requests", "tokens"]
Part: TypeAlias = Literal["input_tokens", "output_tokens"]
"""Tokens of prompts, and of answers."""
Period: TypeAlias = Literal["day", "month", "total"]
Amount = Annotated[int, Meta(ge=0, le=10**12)]
Dollars = Annotated[float, Meta(ge=0, le=9_000_000)]
"""As far as a store that counts nano-dollars in doubles, such as Redis in its scripts, is exact (2**53)."""
Seconds = Annotated[
    float, Meta(gt=0, le=315_360_000, description="a number of seconds above 0, of at most ten years (315360000)")
]
"""A time that is counted in, of at most ten years: stores count it in whole units far smaller than a second."""

MAX_WINDOWS = 16
"""Each is a counter that every request takes from."""

_PERIODS_S = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `limit` units in any `period_s` seconds."""

    unit: Unit = "requests"
    """What is counted."""
    limit: Amount
    """How many; 0 allows none."""
    period_s: Seconds
    """In which time."""

    @property
    def counted(self) -> Unit | Part:
        """What is counted, exactly."""
        return self.unit

    @property
    def counter(self) -> str:
        """Under which name its subject's units are counted."""
        return self.counted


class Remainder(Rate, frozen=True, kw_only=True):
    """What somebody else who counts said was left at a time: what was used before it is no part of it."""

    since: float
    """That time, in seconds since the epoch."""
    part: Part | None = None
    """Of tokens, which alone. A request is let in as long as any are left, however many it may use: they are a quota of
    somebody who may use it up, and most requests do not say how long their answers may be."""

    @property
    def counted(self) -> Unit | Part:
        """The part, where there is one."""
        return self.part or self.unit

    @property
    def counter(self) -> str:
        """A new one whenever it is said anew."""
        return f"{self.counted} since {self.since}"


class Allowance(NamedTuple):
    """At most so much money in a period; a period is named in UTC."""

    period: Period
    nanousd: int


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one subject may use. A limit that is not set does not bind; 0 allows nothing."""

    requests_per_minute: Amount | None = None
    """Requests in any minute."""
    requests_per_hour: Amount | None = None
    """Requests in any hour."""
    requests_per_day: Amount | None = None
    """Requests in any day."""
    tokens_per_minute: Amount | None = None
    """Tokens of prompts and answers in any minute."""
    tokens_per_hour: Amount | None = None
    """Tokens in any hour."""
    tokens_per_day: Amount | None = None
    """Tokens in any day."""
    windows: Annotated[tuple[Rate, ...], Meta(max_length=MAX_WINDOWS)] = ()
    """Further windows of any length."""
    max_concurrency: Amount | None = None
    """Requests at one time."""
    daily_usd: Dollars | None = None
    """US dollars in a day (UTC)."""
    monthly_usd: Dollars | None = None
    """US dollars in a calendar month (UTC)."""
    total_usd: Dollars | None = None
    """US dollars altogether."""

    def rates(self) -> tuple[Rate, ...]:
        """Every window, the named ones first."""
        named = (
            Rate(unit=unit, limit=limit, period_s=period_s)
            for unit in ("requests", "tokens")
            for word, period_s in _PERIODS_S.items()
            if (limit := getattr(self, f"{unit}_per_{word}")) is not None
        )
        return (*named, *self.windows)

    def allowances(self) -> tuple[Allowance, ...]:
        """Every budget, in nano-dollars."""
        words: tuple[tuple[Period, float | None], ...] = (
            ("day", self.daily_usd),
            ("month", self.monthly_usd),
            ("total", self.total_usd),
        )
        return tuple(Allowance(period, nanousd(usd)) for period, usd in words if usd is not None)


def nanousd(usd: float) -> int:
    """Dollars of a file as nano-dollars."""
    return round(usd * NANO)


def details_of(subject: str, unit: str, limit: int, remaining: int, period_s: float = 0.0) -> JsonObject:
    """What whoever is refused is told of a limit, in the error's `details`; without a period it has none."""
    details: JsonObject = {"subject": subject, "unit": unit, "limit": limit, "remaining": remaining}
    if period_s:
        details["period_s"] = period_s
    return details
