"""The stage: refuses what is too much, or lowers what may be lowered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Literal, Self, TypeAlias

from sentinel_core.context import Context
from sentinel_core.counts import Counts
from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_plugins.input_limits.config import InputLimitsConfig
from sentinel_plugins.input_limits.limits import Excess, Limits

CLAMPED_HEADER = "x-sentinel-clamped-params"

Action: TypeAlias = Literal["refused", "clamped"]


class InputLimits(Stage):
    """Every request that goes on is within every limit. It knows no dialect: what it looks at is where the request's
    own dialect says (`Dialect.request_fields`), and errors name the place in the caller's request.

    A request that was lowered (`on_excess = "clamp"`) has the verdict `masked`, one that was refused `blocked`.
    """

    name = "input_limits"
    Config: ClassVar[type[InputLimitsConfig]] = InputLimitsConfig
    guard = True
    reads_all = True
    detects = False
    after = ("auth",)
    before = ("cache", "routing", "hedge", "retry", "breaker")

    def __init__(self, config: InputLimitsConfig, counts: Counts) -> None:
        super().__init__(config)
        self._limits = Limits(config)
        self._clamps = config.on_excess == "clamp"
        self._watches = config.mode == "monitor"
        self._counts = counts.family("inputs_over_limit", "Requests that were beyond a limit", "limit", "action")

    @classmethod
    @asynccontextmanager
    async def open(cls, config: InputLimitsConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the process's counts."""
        yield cls(config, services.counts)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Refuse the first thing that is too much; then lower what may be lowered, and name it to the caller."""
        request = ctx.request
        asked = list(self._limits.asked(request))
        excess = None if self._clamps or not asked else asked[0]
        excess = excess or next(self._limits.sizes(request), None)
        if excess is not None:
            self._count(excess, "refused")
            raise excess.refusal()
        if asked:
            for excess in asked:
                self._count(excess, "clamped")
            ctx.request = request.with_fields(**{excess.param: excess.allowed for excess in asked})
            ctx.headers[CLAMPED_HEADER] = ", ".join(excess.param for excess in asked)

    def _count(self, excess: Excess, action: Action) -> None:
        self._counts.of(excess.limit, "monitored" if self._watches else action).value += 1
