"""The stage: gives a slow call a rival."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.context import Call, CallNext, Context
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import DEFAULT_MAX_ATTEMPTS, FAILED_BESIDE, MAX_ATTEMPTS, PLAN, SERVED_BY, Target
from sentinel_core.reply import Reply
from sentinel_core.services import Clock, Services
from sentinel_core.stage import Stage
from sentinel_plugins.hedge.config import HedgeConfig
from sentinel_plugins.hedge.credit import CREDIT, Credit
from sentinel_plugins.hedge.race import Race


class Hedge(Stage):
    """A call whose reply has not begun in time is made once more: at the plan's next target, else at the same one.

    For a stream, a reply begins with its first content. The two calls share nothing that changes. The loser is ended
    as soon as the winner's reply is there; its row in `ctx.attempts` stays, for the provider may charge for it.
    """

    name = "hedge"
    Config: ClassVar[type[HedgeConfig]] = HedgeConfig
    writes = {"dispatch": (SERVED_BY, FAILED_BESIDE)}  # noqa: RUF012 - declared so by the base
    after = ("routing",)
    before = ("retry", "breaker")

    def __init__(self, config: HedgeConfig, clock: Clock, credit: Credit) -> None:
        super().__init__(config)
        self._limits = config
        self._clock = clock
        self._credit = credit

    @classmethod
    @asynccontextmanager
    async def open(cls, config: HedgeConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the process's credit; on its own where nobody brings it, as in a test of the stage."""
        yield cls(config, services.clock, services.find(CREDIT, Credit))

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """Call; if that takes too long and may cost a second call, call another one beside it."""
        self._credit.earn(self._limits.max_extra)
        async with Race() as race:
            race.start(call_next(call), call.target)
            if not await race.over_within(self._clock.sleep(self._limits.delay_s)) and self._may_call(ctx):
                rival = _rival(ctx, call)
                race.start(call_next(rival), rival.target)
            try:
                reply, target = await race.won()
            finally:  # a rival may have named its wait where both failed, too
                failed = race.failed()
                if failed or FAILED_BESIDE in ctx:
                    ctx[FAILED_BESIDE] = failed
        if target != call.target or SERVED_BY in ctx:  # of an earlier call
            ctx[SERVED_BY] = target
        return reply

    def _may_call(self, ctx: Context) -> bool:
        return len(ctx.attempts) < ctx.get(MAX_ATTEMPTS, DEFAULT_MAX_ATTEMPTS) and self._credit.spend()


def _rival(ctx: Context, call: Call) -> Call:
    """The same call at the plan's next target, one of another provider first; at the same target where none is left."""
    plan: tuple[Target, ...] = ctx.get(PLAN, ())
    left = plan[plan.index(call.target) + 1 :] if call.target in plan else ()
    others = (target for target in left if target.upstream != call.target.upstream)
    target = next(others, left[0] if left else None)
    return call.to(target) if target is not None else call
