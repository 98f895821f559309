"""`Usage`: the ledger's writer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import ClassVar, NamedTuple, Self

from sentinel_core.context import Context, Outcome
from sentinel_core.costs import COSTS, AttemptCost, costs_of, settled_costs
from sentinel_core.hookspecs import hookimpl
from sentinel_core.prices import Prices
from sentinel_core.services import Clock, Services
from sentinel_core.stage import Stage
from sentinel_core.tokens import RoughTokens, Tokens
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.usage.config import UsageConfig
from sentinel_plugins.usage.row import TABLE, records


class Meter(NamedTuple):
    """What tells the time, the tokens and the prices."""

    clock: Clock
    prices: Prices
    tokens: Tokens


class Usage(Stage):
    """Writes one row for every call of a provider, when its request is over, whatever the ending.

    Nobody waits for the record store: rows are written in groups, and those that are left when the stage closes before
    it does.
    """

    name: ClassVar[str] = "usage"
    Config: ClassVar[type[UsageConfig]] = UsageConfig
    observer: ClassVar[bool] = True
    writes = {"on_finish": (COSTS,)}  # noqa: RUF012 - declared so by the base

    def __init__(self, config: UsageConfig, journal: Journal, meter: Meter) -> None:
        super().__init__(config)
        self.journal = journal
        self._meter = meter

    @classmethod
    @asynccontextmanager
    async def open(cls, config: UsageConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the gateway's records, prices and tokens; on estimates where nobody brings the last two."""
        extra = services.extra
        meter = Meter(services.clock, extra.get("prices") or Prices(), extra.get("tokens") or RoughTokens())
        journal = Journal(TABLE, services.records, services.clock, most=config.max_waiting)
        async with journal.open():
            yield cls(config, journal, meter)

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> Awaitable[None] | None:
        """Take the rows of one request. Waits only where tokens must be counted."""
        found = settled_costs(ctx, self._meter.prices)
        if found is None:
            return self._note_later(ctx, outcome)
        self._note(ctx, found)
        return None

    async def _note_later(self, ctx: Context, outcome: Outcome) -> None:
        self._note(ctx, await costs_of(ctx, outcome, self._meter.prices, self._meter.tokens))

    def _note(self, ctx: Context, costs: tuple[AttemptCost, ...]) -> None:
        for record in records(ctx, costs, self._meter.clock.time()):
            self.journal.add(record)
