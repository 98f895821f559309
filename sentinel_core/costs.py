"""What calls cost: money for tokens, with where the numbers came from."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sentinel_core.keys import Key, Target
from sentinel_core.messages import Usage

Provenance: TypeAlias = Literal["reported", "estimated", "partial", "unknown"]
"""`reported` by the provider; `estimated` by counting what was sent and what came; `partial`, the same for an answer
that broke off; `unknown` where a call may have cost something that nobody can tell."""


class AttemptCost(msgspec.Struct, frozen=True):
    """What one call of a provider cost. `nanousd` is None where the model has no price; explicit zeros are costs."""

    number: int
    target: Target
    usage: Usage
    provenance: Provenance
    nanousd: int | None = None


COSTS: Key[tuple[AttemptCost, ...]] = Key("costs")
"""What the attempts of a request cost, one row each, written when it is over by the first stage that needs it."""
