"""The stage: reserves on the way in, prices whole answers, and settles what was really used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar, NamedTuple, Self

from msgspec.structs import replace

from sentinel_core.authenticator import says_who
from sentinel_core.config import ServerSettings
from sentinel_core.context import Call, CallNext, Context, Outcome
from sentinel_core.costs import (
    COSTS,
    PRICES_IN_FORCE,
    AttemptCost,
    costs_of,
    dollars,
    known_costs,
    priced,
    settled_costs,
    total_nanousd,
)
from sentinel_core.counts import Counts
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import CANDIDATES
from sentinel_core.ledger import ADMITTED_AT
from sentinel_core.limits import Limits
from sentinel_core.messages import Answer
from sentinel_core.prices import Prices
from sentinel_core.reply import Reply
from sentinel_core.running import Running
from sentinel_core.services import LEDGER, LOCAL_STATE, PRICES, SERVER, TOKENS, Clock, Services
from sentinel_core.stage import Stage
from sentinel_core.state import Admission, Claim, Settlement, StateStore
from sentinel_core.tokens import RoughTokens, Tokens
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.estimate import NOTHING, Estimator
from sentinel_plugins.rate_limit.headers import DEGRADED_HEADER
from sentinel_plugins.rate_limit.ledger_looks import LedgerLooks, ask_ledger
from sentinel_plugins.rate_limit.local import LocalPart
from sentinel_plugins.rate_limit.one_step import begun
from sentinel_plugins.rate_limit.owed import OWED, Late, Owed
from sentinel_plugins.rate_limit.refusals import denial
from sentinel_plugins.rate_limit.reservation import RESERVATION, Reservation, claims_of, new_id
from sentinel_plugins.rate_limit.subjects import Subjects

COST_HEADER = "x-sentinel-cost-usd"
CALLER_TABLES = ("tenant", "key", "user")
"""Those for callers who have said who they are."""
MARGIN_S = 60.0
"""How much longer than the request's own time a reservation counts that nobody ends."""


class Outside(NamedTuple):
    """What the stage needs of the outside world."""

    clock: Clock
    state: StateStore
    prices: Prices
    tokens: Tokens
    local: LocalPart
    owed: Owed
    counts: Counts
    looks: LedgerLooks


class RateLimit(Stage):
    """Takes requests, tokens, a place and money in one step of the state store, or none of them.

    Requests that are refused later still count; their tokens, places and money return. Whatever the ending, what was
    reserved is settled once: with what the provider reported, or with what was counted of the reply. It writes `COSTS`
    and, for whole answers, the header `x-sentinel-cost-usd`.
    """

    name = "rate_limit"
    Config: ClassVar[type[RateLimitConfig]] = RateLimitConfig
    reserves = True
    reads = (CANDIDATES,)
    writes = {  # noqa: RUF012 - declared so by the base
        "on_request": (RESERVATION, PRICES_IN_FORCE, ADMITTED_AT),
        "dispatch": (COSTS,),
        "on_finish": (COSTS, RESERVATION),
    }
    after = ("auth",)
    before = ("cache", "routing", "hedge", "retry", "breaker")

    def __init__(self, config: RateLimitConfig, outside: Outside) -> None:
        super().__init__(config)
        self._limits = config
        self._clock = outside.clock
        self._state = outside.state
        self._prices = outside.prices
        self._tokens = outside.tokens
        self._local = outside.local
        self._owed = outside.owed
        self._refused = outside.counts.family("admissions_refused", "Requests that a limit refused", "limit")
        self._looks = outside.looks
        self._subjects = Subjects(config)
        self._estimator = Estimator(config, outside.prices, outside.tokens)

    @classmethod
    def warnings(cls, config: RateLimitConfig, chain: Sequence[type[Stage]]) -> Iterator[str]:
        """Limits of callers whom nobody knows."""
        tables = [f"[stages.rate_limit.{name}]" for name in CALLER_TABLES if getattr(config, name) != Limits()]
        if tables and not any(map(says_who, chain)):
            yield f"nobody is bound by {', '.join(tables)}, since no stage says who asks: add [stages.auth]"

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RateLimitConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the gateway's store, prices and tokens; on estimates where nobody brings the last two."""
        server = services.find(SERVER, ServerSettings)
        processes = server.workers * (config.replicas or server.replicas)
        local = services.find(LOCAL_STATE) if services.state.shared else None
        outside = Outside(
            services.clock,
            services.state,
            services.find(PRICES, Prices),
            services.find(TOKENS, RoughTokens),
            LocalPart(local, processes, services.counts),
            services.find(OWED, Owed),
            services.counts,
            LedgerLooks(services.find(LEDGER), services.records, services.clock),
        )
        yield cls(config, outside)

    @hookimpl
    async def on_request(self, ctx: Context) -> None:
        """Admit the request, or refuse it and change nothing."""
        ctx[PRICES_IN_FORCE] = self._prices
        bounds = self._subjects.of(ctx)
        if not bounds.rows:
            return
        budgets, looks, looked = bounds.budgets, self._looks, None
        asked = NOTHING
        if bounds.estimated:
            asked = await self._estimator.of(ctx, tokens=bool(bounds.tokens), money=bool(budgets))
        now = self._clock.time()
        claims: Sequence[Claim] = claims_of(bounds, asked.estimate(), self._ttl_s(ctx), now, looks.unasked)
        if budgets:
            ctx[ADMITTED_AT] = now
            # Budgets come last. What the store is still to be told may be in the ledger already: it would count twice.
            if looks.due(claims[-len(budgets) :]) and not self._owed.owes:
                looked = self._clock.monotonic()
                claims = await looks.noted(bounds.rows, claims, now)
        reservation = Reservation(new_id(bounds), bounds, claims, self._state)
        ctx[RESERVATION] = reservation
        admission = await self._admitted(ctx, reservation, now, looked)
        bounds.headers.write(ctx.headers, admission.claims, now)
        if not admission.admitted:
            ctx[RESERVATION] = None
            unit, refusal = denial(bounds.rows, admission.claims, asked, self._limits, now)
            self._refused.of(unit).value += 1
            raise refusal

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """Price a whole answer while there is a head to say so in."""
        reply: Reply = await call_next(call)
        if isinstance(reply, Answer):
            costs = known_costs(ctx, self._prices)
            if costs is None and self._priced(ctx):
                costs = await priced(ctx, reply, self._prices, self._tokens)
            cost = total_nanousd(costs) if costs is not None else None
            if cost is not None:
                ctx.headers[COST_HEADER] = dollars(cost)
        return reply

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> Awaitable[None] | None:
        """Settle, also what may never have been admitted: its id is marked, so that it is not admitted late."""
        reservation = ctx.get(RESERVATION)
        ctx[RESERVATION] = None
        costs = settled_costs(ctx, self._prices)
        if costs is None and (self._priced(ctx) or (reservation is not None and reservation.bounds.metered)):
            return self._counted(ctx, outcome, reservation)
        if reservation is None:
            return None
        work = self._settled(reservation, costs or ())
        return work if self._state.shared else begun(work)

    def _priced(self, ctx: Context) -> bool:
        """Whether there is a price that makes it worth counting tokens, for those who show what requests cost."""
        return any(self._prices.of(attempt.target) for attempt in ctx.attempts)

    async def _counted(self, ctx: Context, outcome: Outcome, reservation: Reservation | None) -> None:
        costs = await costs_of(ctx, outcome, self._prices, self._tokens)
        if reservation is not None:
            await self._settled(reservation, costs)

    def _settled(self, reservation: Reservation, costs: Sequence[AttemptCost]) -> Running[None]:
        settlement = reservation.settlement(costs)
        late = partial(reservation.late_charges, self._looks.unasked)
        if reservation.store is not self._state:
            return self._settled_twice(reservation, settlement, late)
        return self._owed.settle(self._state, reservation.id, settlement, late)

    async def _settled_twice(self, reservation: Reservation, settlement: Settlement, late: Late) -> None:
        """Also at the shared store: it may have taken the step all the same, and only not said so."""
        await reservation.store.settle(reservation.id, settlement)
        await self._owed.settle(self._state, reservation.id, settlement, late)

    async def _admitted(self, ctx: Context, reservation: Reservation, now: float, looked: float | None) -> Admission:
        """The step, at the shared store or, where that does not answer, on this process's part.

        `looked` is when this request looked at the ledger before, if it did.
        """
        asked = self._clock.monotonic()
        try:
            admission = await self._state.admit(reservation.id, reservation.claims)
            if not admission.admitted and ask_ledger(admission):
                rows, began = reservation.bounds.rows, asked if looked is None else looked
                claims = await self._looks.told(rows, reservation.claims, now, asked, began)
                admission = await self._state.admit(reservation.id, claims)
        except Refusal as unavailable:
            self._looks.doubt()
            admission, store = await self._local.admit(reservation.id, reservation.claims, unavailable)
            ctx[RESERVATION] = replace(reservation, store=store)
            ctx.headers[DEGRADED_HEADER] = self.name
            return admission
        if self._local.active:
            self._local.over()
        self._looks.believe(self._owed.refused)
        return admission

    def _ttl_s(self, ctx: Context) -> float:
        """Never over before the request could still end (P3)."""
        if ctx.deadline is None:
            return self._limits.lease_ttl_s
        return max(self._limits.lease_ttl_s, ctx.deadline - self._clock.monotonic() + MARGIN_S)
