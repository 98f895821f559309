"""The stage: plans the targets on the way in, and goes through the plan around the call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.config import Settings
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import ConfigProblem, Refusal, UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import (
    CANDIDATES,
    DEFAULT_MAX_ATTEMPTS,
    FAILED_BESIDE,
    FAILOVER,
    MAX_ATTEMPTS,
    PLAN,
    SERVED_BY,
    Target,
)
from sentinel_core.model_facts import ModelCatalogue
from sentinel_core.reply import Reply
from sentinel_core.services import CATALOGUE, Clock, Services
from sentinel_core.stage import Stage
from sentinel_plugins.routing.causes import falls_back
from sentinel_plugins.routing.config import RoutingConfig
from sentinel_plugins.routing.course import Course
from sentinel_plugins.routing.order import ordered
from sentinel_plugins.routing.rests import RESTS, Rests, named_wait_s
from sentinel_plugins.routing.weights import astray

PROVIDER_HEADER = "x-sentinel-provider"


class Routing(Stage):
    """Tries the targets of a request in the order of its plan until one replies, or the fault is the request's own.

    It writes which targets failed (`FAILOVER`), and names the provider that replied in `x-sentinel-provider`. A target
    that lacks the operation is passed over, and so is a fallback that refuses a parameter; one leaves the plan if what
    has failed says that it would fail too. If nobody replies, the error of the last call that was made is raised, and
    `circuit_open` only if none was.
    """

    name = "routing"
    Config: ClassVar[type[RoutingConfig]] = RoutingConfig
    reads = (CANDIDATES,)
    writes = {"on_request": (PLAN,), "dispatch": (PLAN, FAILOVER)}  # noqa: RUF012 - declared so by the base
    before = ("hedge", "retry", "breaker")

    def __init__(self, config: RoutingConfig, clock: Clock, rests: Rests, facts: ModelCatalogue | None = None) -> None:
        super().__init__(config)
        self._limits = config
        self._clock = clock
        self._rests = rests
        self._facts = facts

    @classmethod
    def misfits(cls, config: RoutingConfig, settings: Settings) -> Iterator[ConfigProblem]:
        """Weights of no target."""
        return astray(config.weights, settings)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RoutingConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on what the process remembers and the gateway knows; without them, as in a test, on its own."""
        yield cls(config, services.clock, services.find(RESTS, Rests), services.find(CATALOGUE))

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Write the plan. A model that nobody serves has none, which the chain answers with 404."""
        candidates = ctx.get(CANDIDATES, ())
        if candidates:
            ctx[PLAN] = ordered(self._limits, self._rests.awake(candidates, self._clock.monotonic()))

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """Go through the plan."""
        course = Course(self._facts)
        lacking: Refusal | None = None
        place, plan = 0, ctx.get(PLAN) or (call.target,)
        while place < len(plan):
            target = plan[place]
            place += 1
            try:
                reply: Reply = await call_next(call if target is call.target else call.to(target))
            except UpstreamError as error:
                course.note(target, error)
                if self._is_over(ctx, target, error, call.deadline):
                    break
                self._note_rivals(ctx, target, course)
                plan = self._narrowed(ctx, plan, place, course)
            except Refusal as error:
                if error.code != "unsupported_operation" and (error.code != "unsupported_parameter" or place == 1):
                    raise
                lacking = error
            else:
                if FAILED_BESIDE in ctx:
                    self._note_beside(ctx, target, course)
                ctx[FAILOVER] = tuple(course.failed)
                ctx.headers[PROVIDER_HEADER] = ctx.get(SERVED_BY, target).provider
                return reply
        ctx[FAILOVER] = tuple(course.failed)
        raise lacking if lacking is not None and not course.failed else _final(course.failed)

    def _narrowed(self, ctx: Context, plan: tuple[Target, ...], place: int, course: Course) -> tuple[Target, ...]:
        """The plan without the targets that are left and not worth a call; the other stages see it, too."""
        worth = tuple(target for target in plan[place:] if not course.passes_over(target))
        if len(worth) < len(plan) - place:
            ctx[PLAN] = plan = (*plan[:place], *worth)
        return plan

    def _is_over(self, ctx: Context, target: Target, error: UpstreamError, deadline: float | None) -> bool:
        """Note what the failure says about the target, and whether it ends the request."""
        now = self._clock.monotonic()
        for failed, its in ((target, error), *ctx.get(FAILED_BESIDE, {}).items()):
            self._heed(failed, its, now)
        if len(ctx.attempts) >= ctx.get(MAX_ATTEMPTS, DEFAULT_MAX_ATTEMPTS) or not falls_back(self._limits, error):
            return True
        return deadline is not None and now >= deadline

    def _note_beside(self, ctx: Context, target: Target, course: Course) -> None:
        """What failed beside the reply of a hedge; where that is the target itself, its rival has replied."""
        for failed, error in ctx[FAILED_BESIDE].items():
            self._heed(failed, error, self._clock.monotonic())
            if failed == target != ctx.get(SERVED_BY, target):
                course.note(target, error)

    def _note_rivals(self, ctx: Context, target: Target, course: Course) -> None:
        """A rival that failed as well, and named a wait, has had its turn."""
        for failed, error in ctx.get(FAILED_BESIDE, {}).items():
            if failed != target and named_wait_s(error):
                course.note_rival(failed, error)

    def _heed(self, target: Target, error: UpstreamError, now: float) -> None:
        """Leave a target alone for the wait that it named."""
        if wait_s := named_wait_s(error):
            self._rests.rest(target, wait_s, now)


def _final(failed: dict[Target, UpstreamError]) -> UpstreamError:
    """What the caller is told when every target has failed."""
    errors = list(failed.values())
    called = [error for error in errors if error.code != "circuit_open"]
    return called[-1] if called else min(errors, key=lambda error: error.retry_after_s or 0.0)
