"""What a request reserved, as it travels with it."""

from __future__ import annotations

from collections.abc import Sequence
from random import getrandbits

import msgspec
from msgspec.structs import replace

from sentinel_core.costs import AttemptCost
from sentinel_core.keys import Key
from sentinel_core.state import Budget, Claim, Settlement, StateStore
from sentinel_plugins.rate_limit.estimate import Estimate
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.rate_limit.subjects import Bounds


class Reservation(msgspec.Struct, frozen=True):
    """One step at the state store: its id is known before the step is sent, so that whatever happens can be settled.

    `store` is where it was asked for.
    """

    id: str
    bounds: Bounds
    claims: Sequence[Claim]
    store: StateStore

    def settlement(self, costs: Sequence[AttemptCost]) -> Settlement:
        """The end of it: requests stay counted, tokens and money become what was used."""
        prompts = answers = nanousd = 0
        for cost in costs:
            usage = cost.usage
            prompts += usage.prompt_tokens
            answers += usage.completion_tokens
            nanousd += cost.nanousd or 0
        used = {"tokens": prompts + answers, "input_tokens": prompts, "output_tokens": answers}
        return Settlement(tuple([(key, used[unit]) for key, unit in self.bounds.token_keys]), nanousd)

    def late_charges(self, spent_nanousd: int | None) -> list[Budget]:
        """Its budgets, asked for nothing: where what was used is charged if the reservation itself was lost."""
        return [
            replace(claim, reserve_nanousd=0, spent_nanousd=spent_nanousd)
            for claim in self.claims
            if isinstance(claim, Budget)
        ]


RESERVATION: Key[Reservation | None] = Key("reservation")
"""What the request holds, written before the step is sent; None once it holds nothing: it was denied, or is settled."""


def new_id(bounds: Bounds) -> str:
    """Not the request's own id, which clients choose."""
    return f"{bounds.admissions}:24:{getrandbits(96).to_bytes(12).hex()}"


def claims_of(bounds: Bounds, estimate: Estimate, ttl_s: float, now: float, spent_nanousd: int | None) -> list[Claim]:
    """What to ask for, one claim per row of the bounds.

    `now` is seconds since the epoch, `spent_nanousd` what budgets say was spent.
    """
    claims: list[Claim] = [*bounds.singles]
    for window in bounds.tokens:
        claims.append(replace(window, cost=estimate.tokens))
    for lease in bounds.leases:
        claims.append(lease if lease.ttl_s == ttl_s else replace(lease, ttl_s=ttl_s))
    for row in bounds.budgets:
        period = span(row.allowance.period, now)
        claims.append(Budget(row.key, row.limit, estimate.nanousd, period.name, ttl_s, spent_nanousd, period.keep_s))
    return claims
