"""What a request may ask of the state store in one step, and what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec

from sentinel_core.state_key import tenant_part

Algorithm: TypeAlias = Literal["exact", "gcra", "sliding_window"]
"""How a window counts. What each lets through at worst is in docs/reference/state.md."""
Place: TypeAlias = tuple[str, str, float | str | None]
"""The kind of counting, the key, and what else tells two counts of one key apart."""


class Window(msgspec.Struct, frozen=True, tag=True):
    """At most `limit` units in any `period_s` seconds; `cost` units are asked for.

    `exact` is a sliding log: never more than `limit`, for the memory of an entry per admitted request. `gcra` lets
    `burst` units through at once (None: `limit` of them) and earns them back at `limit` a period: at most `burst +
    limit`. `sliding_window` counts in two adjoining periods and weighs the older one: at most `2 * limit - 1`. Both
    keep a few numbers per key, however much is admitted.
    """

    key: str
    limit: int
    period_s: float
    cost: int = 1
    algorithm: Algorithm = "exact"
    burst: int | None = None

    @property
    def depth(self) -> int:
        """What `gcra` lets through at once. A limit of 0 allows nothing."""
        return self.limit if self.burst is None or self.limit == 0 else self.burst

    @property
    def place(self) -> Place:
        """What it counts in: two claims with one place share it."""
        return (self.algorithm, self.key, self.period_s)

    @property
    def span_s(self) -> float:
        """How long an admitted unit counts, at most."""
        match self.algorithm:
            case "exact":
                return self.period_s
            case "sliding_window":
                return 2 * self.period_s
            case "gcra":
                return self.period_s * self.depth / max(1, self.limit)


class Lease(msgspec.Struct, frozen=True, tag=True):
    """At most `limit` holders at a time. A lease that nobody settles ends after `ttl_s` seconds."""

    key: str
    limit: int
    ttl_s: float

    @property
    def place(self) -> Place:
        """What it counts in: two claims with one place share it."""
        return ("lease", self.key, None)

    @property
    def span_s(self) -> float:
        """How long it counts, at most."""
        return self.ttl_s


class Budget(msgspec.Struct, frozen=True, tag=True):
    """At most `limit_nanousd` committed and reserved; `reserve_nanousd` is asked for.

    `period` is part of what is counted: another period starts at zero. A reservation that nobody settles ends after
    `ttl_s` seconds. `spent_nanousd` is what the ledger says was spent: a store never counts less, so one that was
    emptied forgets no money. None says that nobody has looked: a store that knows nothing of the period then denies
    the step, and its `ClaimState` is `unknown`. `keep_s` is how long after the last charge a shared store must remember
    what was spent; None: for good.
    """

    key: str
    limit_nanousd: int
    reserve_nanousd: int
    period: str
    ttl_s: float
    spent_nanousd: int | None = 0
    keep_s: float | None = None

    @property
    def place(self) -> Place:
        """What it counts in: two claims with one place share it."""
        return ("budget", self.key, self.period)

    @property
    def span_s(self) -> float:
        """How long a reservation counts, at most."""
        return self.ttl_s


Claim: TypeAlias = Window | Lease | Budget


class ClaimState(msgspec.Struct, frozen=True):
    """One claim after the step. `remaining` is what another request could still get, in the claim's unit.

    `reset_s` is how long until the claim is empty again, `retry_after_s` how long until this request could pass
    (None: waiting alone does not help). `unknown` is a budget of which the store knows nothing: if no claim was denied,
    ask again with what the ledger says was spent.
    """

    key: str
    remaining: int
    reset_s: float
    admitted: bool
    retry_after_s: float | None = None
    unknown: bool = False


class Admission(msgspec.Struct, frozen=True):
    """The answer of `admit`: admitted only if every claim was, and then all were taken together."""

    admitted: bool
    claims: tuple[ClaimState, ...]


class Settlement(msgspec.Struct, frozen=True):
    """What a reservation really used. `units` replaces the cost of windows by key, `nanousd` that of budgets."""

    units: tuple[tuple[str, int], ...] = ()
    nanousd: int = 0


def check_step(reservation: str, claims: Sequence[Claim]) -> None:
    """Raise ValueError for a step that no store can take.

    Two claims must not count in one place, none may ask for less than nothing, and all must be the tenant's of the
    reservation: those of two tenants may lie on two nodes.
    """
    keys: list[str] = []
    for claim in claims:
        keys.append(claim.key)
        if type(claim) is Window:
            asked = claim.cost
        elif type(claim) is Budget:
            asked = claim.reserve_nanousd
        else:
            continue  # a lease is one place
        if asked < 0:
            raise ValueError(f"a claim asks for {asked} of {claim.key!r}")
    several = _have_twins(tenant_part(reservation), tuple(keys))
    if several and len({claim.place for claim in claims}) < len(claims):
        raise ValueError("two claims of one admission count in the same place")


@lru_cache(maxsize=4096)  # a caller asks for the same keys every time; an error is raised anew
def _have_twins(tenant: str, keys: tuple[str, ...]) -> bool:
    """Whether one of these keys stands there twice. ValueError if one is not the tenant's."""
    for key in keys:
        if not key.startswith(tenant) or (not tenant and tenant_part(key)):
            raise ValueError(f"{key!r} is not a key of the tenant {tenant!r}")
    return len({*keys}) < len(keys)
