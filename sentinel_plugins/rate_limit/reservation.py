"""What a request reserved, as it travels with it."""

from __future__ import annotations

from collections.abc import Sequence
from random import getrandbits

import msgspec

from sentinel_core.keys import Key
from sentinel_core.state import Budget, Claim, Lease, Settlement, StateStore, Window
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.estimate import Estimate
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.rate_limit.subjects import Bounds


class Reservation(msgspec.Struct, frozen=True):
    """One step at the state store: its id is known before the step is sent, so that whatever happens can be settled.

    `store` is where it was asked for; `denied` says that nothing was taken.
    """

    id: str
    bounds: Bounds
    estimate: Estimate
    claims: Sequence[Claim]
    store: StateStore
    denied: bool = False

    def settlement(self, tokens: int, nanousd: int) -> Settlement:
        """The end of it: requests stay counted, tokens and money become what was used."""
        return Settlement(tuple([(key, tokens) for key in self.bounds.token_keys]), nanousd)


RESERVATION: Key[Reservation] = Key("reservation")


def new_id(bounds: Bounds) -> str:
    """Not the request's own id, which clients choose."""
    return f"{bounds.admissions}:24:{getrandbits(96):024x}"


def claims_of(
    bounds: Bounds, estimate: Estimate, config: RateLimitConfig, ttl_s: float, now: float
) -> tuple[Claim, ...]:
    """What to ask for, one claim per row of the bounds. `now` is seconds since the epoch."""
    if len(bounds.rows) == len(bounds.requests):
        return bounds.requests
    claims: list[Claim] = [*bounds.requests]
    for row in bounds.tokens:
        claims.append(Window(row.key, row.limit, row.period_s, estimate.tokens, config.algorithm))
    for row in bounds.leases:
        claims.append(Lease(row.key, row.limit, ttl_s))
    for row in bounds.budgets:
        assert row.allowance is not None  # what makes a row of money one
        period = span(row.allowance.period, now)
        claims.append(Budget(row.key, row.limit, estimate.nanousd, period.name, ttl_s, keep_s=period.keep_s))
    return tuple(claims)
