"""Which targets a request was routed away from, and which one answered it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sentinel_core.attempt import NOT_CALLED, answering
from sentinel_core.context import Context
from sentinel_core.keys import FAILOVER, Target


class Reroute(NamedTuple):
    """`passed` are the targets that failed or were skipped, in order, each once; `used` is the one that answered."""

    passed: tuple[Target, ...]
    used: Target | None

    @property
    def occurred(self) -> bool:
        """Whether another target than the first one answered."""
        return self.used is not None and bool(self.passed)


def reroute_of(ctx: Context) -> Reroute:
    """What became of the targets of one exchange.

    Routing says what it was refused (`FAILOVER`), breakers that let nothing through included; where no stage says so,
    failed attempts do. A hedge that lost did not fail, and a rival that failed beside the reply was not passed over.
    """
    row = answering(ctx.attempts)
    used = row.target if row is not None else None
    failed: Iterable[Target] | None = ctx.get(FAILOVER)
    if failed is None:
        failed = [row.target for row in ctx.attempts if row.error not in (None, NOT_CALLED)]
    return Reroute(tuple(target for target in dict.fromkeys(failed) if target != used), used)
