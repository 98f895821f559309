"""Which targets a request was routed away from, and which one answered it."""

from __future__ import annotations

from typing import NamedTuple

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
    failed attempts do. A hedge that lost did not fail.
    """
    used = next((row.target for row in reversed(ctx.attempts) if row.error is None and row.ending != "failed"), None)
    failed = ctx.get(FAILOVER) or [row.target for row in ctx.attempts if row.error is not None]
    return Reroute(tuple(target for target in dict.fromkeys(failed) if target != used), used)
