"""Several scripted targets behind the resilience stages, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sentinel_core.chain import Chain, ChainPlan, StagePlan, Tracker
from sentinel_core.context import Context
from sentinel_core.json_types import TomlValue
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_core.testing import Driven, FakeClock, FakeProvider, context, fake_services, run
from sentinel_core.testing.harness import opened
from sentinel_plugins.breaker.stage import Breaker
from sentinel_plugins.catalogue.catalogue import FileCatalogue
from sentinel_plugins.hedge.stage import Hedge
from sentinel_plugins.retry.stage import Retry
from sentinel_plugins.routing.stage import Routing

KINDS: Mapping[str, type[Stage]] = {"routing": Routing, "hedge": Hedge, "retry": Retry, "breaker": Breaker}


@dataclass
class Targets:
    """An open chain of the stages that were asked for, in front of providers by name; every one serves `fake` unless
    the candidates say otherwise."""

    chain: Chain
    clock: FakeClock
    services: Services
    tracker: Tracker
    candidates: tuple[Target, ...]

    def context(self, *, stream: bool = False, deadline_s: float | None = None) -> Context:
        ctx = context(stream=stream)
        ctx.deadline = None if deadline_s is None else self.clock.monotonic() + deadline_s
        ctx[CANDIDATES] = self.candidates
        return ctx

    async def ask(self, *, stream: bool = False, deadline_s: float | None = None) -> Driven:
        driven = await run(self.chain, self.context(stream=stream, deadline_s=deadline_s))
        await self.tracker.drained()
        return driven


@asynccontextmanager
async def targets(
    providers: Mapping[str, FakeProvider],
    *candidates: Target,
    clock: FakeClock | None = None,
    **tables: Mapping[str, TomlValue],
) -> AsyncIterator[Targets]:  # the stages' tables
    clock, tracker = clock or FakeClock(), Tracker()
    asked = candidates or tuple(Target(name, "fake") for name in providers)
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(fake_services(clock, catalogue=FileCatalogue.shipped()))
        live = [
            await stack.enter_async_context(opened(kind, tables[name], services))
            for name, kind in KINDS.items()
            if name in tables
        ]
        plan = ChainPlan([StagePlan(stage.name, type(stage), config) for stage, config in live])
        chain = Chain(plan, [stage for stage, _ in live], providers, tracker)
        yield Targets(chain, clock, services, tracker, asked)
