"""`Usage`: the ledger's writer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import ClassVar, Self

import msgspec

from sentinel_core.attempt import BEFORE_CALL, Attempt
from sentinel_core.config import Settings
from sentinel_core.context import Context, Outcome
from sentinel_core.costs import COSTS, AttemptCost, costs_of, lost_cost, settled_costs
from sentinel_core.errors import ConfigProblem
from sentinel_core.hookspecs import hookimpl
from sentinel_core.prices import Prices
from sentinel_core.services import PRICES, TOKENS, Clock, ServiceKey, Services
from sentinel_core.stage import Stage
from sentinel_core.tokens import RoughTokens, Tokens
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.lost import lost_while_running
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.usage.config import UsageConfig
from sentinel_plugins.usage.row import INTENTS, NONCE, TABLE, ended_calls, intent, new_nonce

WITNESS: ServiceKey[Witness] = ServiceKey("usage_witness")
"""Which requests run whose calls have intents, by their nonces, and how the clock went."""


class Meter(msgspec.Struct, frozen=True):
    """What tells the time, the tokens and the prices."""

    clock: Clock
    prices: Prices
    tokens: Tokens


class Usage(Stage):
    """Writes one row for every call of a provider, when its request is over, whatever the ending.

    Nobody waits for the record store: rows are written in groups, and those that are left when the stage closes before
    it does. Where calls must not be missing, an intent of each is committed before it, and that is waited for.
    """

    name: ClassVar[str] = "usage"
    Config: ClassVar[type[UsageConfig]] = UsageConfig
    observer: ClassVar[bool] = True
    writes = {"on_request": (BEFORE_CALL, NONCE), "on_finish": (COSTS,)}  # noqa: RUF012 - declared so by the base

    def __init__(
        self, config: UsageConfig, journal: Journal, intents: Journal | None, meter: Meter, witness: Witness
    ) -> None:
        super().__init__(config)
        self.journal = journal
        self._intents = intents
        self._meter = meter
        self._running = witness.running

    @classmethod
    def unused(cls, config: UsageConfig) -> tuple[str, ...]:
        """Nobody asks to hear of calls where intents are not required."""
        return () if config.guarantee == "required" else ("on_request",)

    @classmethod
    def misfits(cls, config: UsageConfig, settings: Settings) -> Iterator[ConfigProblem]:
        """Calls that would be lost before their time is over."""
        if config.guarantee == "required":
            yield from lost_while_running("stages.usage", config.lost_after_s, settings)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: UsageConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the gateway's records, prices and tokens; on estimates where nobody brings the last two."""
        meter = Meter(services.clock, services.find(PRICES, Prices), services.find(TOKENS, RoughTokens))
        counts = services.counts
        async with AsyncExitStack() as stack:
            tables = (TABLE, INTENTS) if config.guarantee == "required" else (TABLE,)
            journals = [
                Journal(table, services.records, services.clock, most=config.max_waiting, counts=counts)
                for table in tables
            ]
            journal, *intents = [await stack.enter_async_context(one.open()) for one in journals]
            witness = services.find(WITNESS, Witness)
            yield cls(config, journal, intents[0] if intents else None, meter, witness)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Where intents are required, ask to hear of each call before it is made."""
        if self._intents is not None:
            ctx[NONCE] = nonce = new_nonce()
            self._running.add(nonce)
            announce: Callable[[Attempt], Awaitable[None]] = partial(self._announce, ctx, self._intents)
            ctx[BEFORE_CALL] = announce

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> Awaitable[None] | None:
        """Take the rows of one request. Waits only where tokens must be counted."""
        found = settled_costs(ctx, self._meter.prices)
        if found is None:
            return self._note_later(ctx, outcome)
        self._over(ctx)
        self._note(ctx, found)
        return None

    async def _announce(self, ctx: Context, intents: Journal, attempt: Attempt) -> None:
        """Commit the intent of a call. Raises `Refusal` (ledger_unavailable): then there is no call."""
        cost = await lost_cost(ctx, attempt, self._meter.prices, self._meter.tokens)
        await intents.write(intent(ctx, attempt, cost, self._meter.clock.time()))

    async def _note_later(self, ctx: Context, outcome: Outcome) -> None:
        try:
            self._note(ctx, await costs_of(ctx, outcome, self._meter.prices, self._meter.tokens))
        finally:
            self._over(ctx)

    def _note(self, ctx: Context, costs: tuple[AttemptCost, ...]) -> None:
        for call in ended_calls(ctx, costs, self._meter.clock.time()):
            self.journal.add(call)

    def _over(self, ctx: Context) -> None:
        """Its calls have their rows, or nobody will write them."""
        if self._intents is not None:
            self._running.discard(ctx.get(NONCE, ""))
