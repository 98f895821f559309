"""The stage: repeats a call at its target while that can help, and nobody has seen a byte of an answer yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import ClassVar, Self

from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import MAX_ATTEMPTS, PLAN
from sentinel_core.reply import Reply
from sentinel_core.services import Clock, Services
from sentinel_core.stage import Stage
from sentinel_plugins.retry.budget import BUDGET, RetryBudget
from sentinel_plugins.retry.config import RetryConfig
from sentinel_plugins.retry.delay import delay_s, repeatable


class Retry(Stage):
    """Repeats at the last target of the plan only: where another target is left, that one is tried at once. Other keys
    of the same provider are no other target, unless the failure was about the key.

    Never after a reply was returned, never beyond the deadline, the attempts or the budget.
    """

    name = "retry"
    Config: ClassVar[type[RetryConfig]] = RetryConfig
    writes = (MAX_ATTEMPTS,)
    after = ("routing", "hedge")

    def __init__(self, config: RetryConfig, clock: Clock, budget: RetryBudget) -> None:
        super().__init__(config)
        self._limits = config
        self._clock = clock
        self._budget = budget

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RetryConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the process's budget; on its own where nobody brings it, as in a test of the stage."""
        yield cls(config, services.clock, services.find(BUDGET, RetryBudget))

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """State the limit, which counts for fallbacks as well."""
        ctx[MAX_ATTEMPTS] = self._limits.max_attempts

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """Call, and call again."""
        self._budget.enter(self._clock.monotonic(), first=not ctx.attempts)
        try:
            reply = await self._tried(ctx, call, call_next)
        except BaseException:  # whoever is cancelled no longer counts, either
            self._budget.leave()
            raise
        reply.on_close(lambda _: self._budget.leave())
        return reply

    async def _tried(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """The reply, or the error of the last call that was made: a repetition may only meet an open circuit, or find
        that a hedge's other leg has made the last call meanwhile."""
        again = call_next
        made: UpstreamError | None = None
        for repetitions in count():
            try:
                reply: Reply = await again(call)
            except UpstreamError as error:
                made = error if made is None or error.attempted else made
                wait_s = self._wait_s(ctx, call, error, repetitions)
                if wait_s is None or not self._budget.draw(self._clock.monotonic(), self._limits.budget):
                    raise made from made.__cause__
                again = partial(self._repeat, call_next, wait_s)
            else:
                break
        return reply

    async def _repeat(self, call_next: CallNext, wait_s: float, call: Call) -> Reply:
        """One repetition that was drawn from the budget, wait included: a caller who leaves meanwhile ends it (C04)."""
        try:
            await self._clock.sleep(wait_s)
            reply: Reply = await call_next(call)
        finally:
            self._budget.give_back()
        return reply

    def _wait_s(self, ctx: Context, call: Call, error: UpstreamError, repetitions: int) -> float | None:
        """How long to wait before the next repetition, or None if there must be none."""
        made = max(len(ctx.attempts), repetitions + 1)
        if made >= self._limits.max_attempts or not repeatable(error) or _another_is_left(ctx, call, error):
            return None
        wait_s = delay_s(self._limits, repetitions, error.retry_after_s)
        if call.deadline is not None and self._clock.monotonic() + wait_s >= call.deadline:
            return None
        return wait_s


def _another_is_left(ctx: Context, call: Call, error: UpstreamError) -> bool:
    """Whether the plan goes on after this target, and not only with other keys of a provider that failed by itself."""
    plan = ctx.get(PLAN, ())
    if call.target not in plan:
        return False
    left = plan[plan.index(call.target) + 1 :]
    return any(error.is_about_the_key or not target.is_twin(call.target) for target in left)
