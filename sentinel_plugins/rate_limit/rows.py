"""One limit that binds a caller."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from sentinel_core.limits import Allowance

Subject: TypeAlias = Literal["tenant", "key", "user", "address", "model"]
Unit: TypeAlias = Literal["requests", "tokens", "concurrency", "usd"]


class Row(NamedTuple):
    """One limit that binds: of whom, of what, how much, in which time, and where it is counted."""

    subject: Subject
    unit: Unit
    limit: int
    key: str
    period_s: float = 0.0
    allowance: Allowance | None = None
