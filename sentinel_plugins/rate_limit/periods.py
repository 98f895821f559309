"""Days and months of budgets, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from sentinel_core.limits import Period

DAY_S = 86_400.0
_KEPT_S: dict[Period, float | None] = {"day": 2 * DAY_S, "month": 33 * DAY_S, "total": None}


class Span(msgspec.Struct, frozen=True):
    """One period: its name, which is part of what is counted, its beginning in seconds since the epoch, its end, and
    how long it is worth remembering."""

    name: str
    begins: float | None
    ends: datetime | None
    keep_s: float | None

    @property
    def reset_at(self) -> str | None:
        """Its end in ISO 8601; None for one without an end."""
        return None if self.ends is None else self.ends.strftime("%Y-%m-%dT%H:%M:%SZ")


def span(period: Period, now: float) -> Span:
    """The period of that kind in which `now`, seconds since the epoch, lies."""
    return _span(period, int(now // DAY_S))


@lru_cache(maxsize=16)
def _span(period: Period, day: int) -> Span:
    if period == "total":
        return Span("total", None, None, None)
    today = datetime.fromtimestamp(day * DAY_S, UTC)
    if period == "day":
        return Span(today.strftime("%Y-%m-%d"), today.timestamp(), today + timedelta(days=1), _KEPT_S[period])
    first = today.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Span(today.strftime("%Y-%m"), first.timestamp(), following, _KEPT_S[period])
