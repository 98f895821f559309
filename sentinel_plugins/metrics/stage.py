"""`Metrics`: counts what requests came to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.attempt import made
from sentinel_core.authenticator import says_who
from sentinel_core.context import Context, Outcome
from sentinel_core.costs import COSTS
from sentinel_core.counts import Counts
from sentinel_core.errors import SentinelError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_core.usage import Usage
from sentinel_plugins.metrics.config import MetricsConfig


class Metrics(Stage):
    """Adds every exchange, its calls, and their tokens and costs to the counts of the process.

    Labels are operations, endings and the names of configured providers, never anything that a caller writes. Costs
    are those that `usage` or `rate_limit` worked out.
    """

    name: ClassVar[str] = "metrics"
    Config: ClassVar[type[MetricsConfig]] = MetricsConfig
    observer: ClassVar[bool] = True
    before = ("usage",)

    def __init__(self, config: MetricsConfig, counts: Counts) -> None:
        super().__init__(config)
        self._requests = counts.family("requests", "Requests that reached the chain", "operation", "status")
        self._attempts = counts.family("attempts", "Calls of providers by how they ended", "provider", "outcome")
        self._tokens = counts.family("tokens", "Tokens, as the ledger has them", "provider", "kind")
        self._cost = counts.family("cost_nanousd", "Billionths of a dollar, as the ledger has them", "provider")

    @classmethod
    def warnings(cls, config: MetricsConfig, chain: Sequence[type[Stage]]) -> Iterator[str]:
        """A policy that asks who reads, where nobody can say so."""
        if config.policy != "public" and not any(map(says_who, chain)):
            reads = "nobody" if config.policy == "admin" else "anybody"
            yield (
                f"{reads} may read /metrics: [stages.metrics] policy = {config.policy!r}, and no stage says who asks; "
                "add [stages.auth]"
            )

    @classmethod
    @asynccontextmanager
    async def open(cls, config: MetricsConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the process's counts."""
        yield cls(config, services.counts)

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> None:
        """Count one exchange."""
        self._requests.of(ctx.request.operation, _status(outcome)).value += 1
        calls = made(ctx.attempts)
        for attempt in calls:
            self._attempts.of(attempt.target.provider, attempt.ending or "discarded").value += 1
        costs = ctx.get(COSTS)
        if costs is None:
            for attempt in calls:
                self._used(attempt.target.provider, attempt.usage or Usage())
            return
        for cost in costs:
            self._used(cost.target.provider, cost.usage)
            self._cost.of(cost.target.provider).value += cost.nanousd or 0

    def _used(self, provider: str, usage: Usage) -> None:
        self._tokens.of(provider, "prompt").value += usage.prompt_tokens
        self._tokens.of(provider, "completion").value += usage.completion_tokens


def _status(outcome: Outcome) -> str:
    """`2xx`, `4xx` or `5xx`; `cancelled` for whoever left."""
    if outcome.status in ("completed", "cancelled"):
        return "2xx" if outcome.status == "completed" else "cancelled"
    return f"{outcome.error.status // 100}xx" if isinstance(outcome.error, SentinelError) else "5xx"
