"""One limit that binds a caller."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sentinel_core.ledger import Payer
from sentinel_core.limits import Allowance

Subject: TypeAlias = Literal["tenant", "key", "user", "address", "model"]
Unit: TypeAlias = Literal["requests", "tokens", "input_tokens", "output_tokens", "concurrency", "usd"]
PARTS = frozenset({"input_tokens", "output_tokens"})
"""Units of which a request takes one, whatever it may use: what it used is counted when it is over."""


class Row(msgspec.Struct, frozen=True):
    """One limit that binds: of whom, of what, how much, in which time, and where it is counted."""

    subject: Subject
    unit: Unit
    limit: int
    key: str
    period_s: float = 0.0


class MoneyRow(Row, frozen=True, kw_only=True):
    """One of money: how much in which period, and whose calls the ledger has for it."""

    allowance: Allowance
    payer: Payer
