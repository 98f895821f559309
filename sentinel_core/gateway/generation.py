"""One generation: a compiled chain, the stages it holds open, and the providers it shares with its neighbours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from typing import NamedTuple

from sentinel_core.authenticator import Authenticator, Doorkeeper, HeadCheck, says_who
from sentinel_core.cancellation import own_failure
from sentinel_core.chain import Chain, ChainPlan, Tracker
from sentinel_core.chain.clock import limited
from sentinel_core.context import Client
from sentinel_core.gateway.able import able
from sentinel_core.gateway.blueprint import Blueprint, ProviderPlan
from sentinel_core.gateway.catalogue import Catalogue, Knowledge
from sentinel_core.gateway.checked_open import opened_provider, opened_stage
from sentinel_core.gateway.outside import furnished
from sentinel_core.keys import Principal, Target
from sentinel_core.messages import Request
from sentinel_core.provider import Provider
from sentinel_core.services import Services
from sentinel_core.stage import Stage

log = logging.getLogger("sentinel.gateway")


class Opened(NamedTuple):
    """The plan of a chain, and its open stages in order."""

    plan: ChainPlan
    stages: Sequence[Stage]


Door = Callable[[Client], Awaitable[object]]


class ProviderPool:
    """Open providers of a process. A reload that leaves a provider's table alone keeps its connections."""

    def __init__(self) -> None:
        self._open: list[_OpenProvider] = []

    async def borrow(self, plan: ProviderPlan, services: Services) -> Provider:
        """The provider of this plan: one that is open already, or a new one."""
        for held in self._open:
            if held.plan == plan:
                held.users += 1
                return held.provider
        async with AsyncExitStack() as stack:
            provider = await opened_provider(plan, services, stack)
            self._open.append(_OpenProvider(plan, provider, stack.pop_all()))
        return provider

    async def give_back(self, plan: ProviderPlan) -> None:
        """Close the provider if nobody else has borrowed it."""
        held = next(held for held in self._open if held.plan == plan)
        held.users -= 1
        if not held.users:
            self._open.remove(held)
            await held.stack.aclose()


class _OpenProvider:
    __slots__ = ("plan", "provider", "stack", "users")

    def __init__(self, plan: ProviderPlan, provider: Provider, stack: AsyncExitStack) -> None:
        self.plan = plan
        self.provider = provider
        self.stack = stack
        self.users = 1


class Generation:
    """An open blueprint. Retired when another one takes over; closed when its last exchange has ended."""

    def __init__(
        self,
        blueprint: Blueprint,
        services: Services,
        chain: Chain,
        stages: Sequence[Stage],
        catalogue: Catalogue,
        authenticator: Authenticator | None,
        door: Door | None,
        stack: AsyncExitStack,
    ) -> None:
        self.blueprint = blueprint
        self.services = services
        self.chain = chain
        self._stages = tuple(stages)
        self.catalogue = catalogue
        self.authenticator = authenticator
        self.door = door
        self._stack = stack

    @classmethod
    async def open(cls, blueprint: Blueprint, pool: ProviderPool, services: Services, tracker: Tracker) -> Generation:
        """Open every provider and stage, in order; close those that are open if one of them fails.

        They get the blueprint's catalogue of models, its prices and `[server]` among the services: `CATALOGUE`,
        `PRICES` and `SERVER`.
        """
        created = int(services.clock.time())
        services = replace(furnished(services, blueprint), shared={})
        async with AsyncExitStack() as stack:
            providers: dict[str, Provider] = {}
            for plan in blueprint.providers:
                providers[plan.name] = await pool.borrow(plan, services)
                stack.push_async_callback(pool.give_back, plan)
            stages = [await opened_stage(plan, services, stack) for plan in blueprint.chain.stages]
            chain = Chain(blueprint.chain, stages, providers, tracker)
            authenticator = next(
                (one for one in stages if says_who(type(one)) and isinstance(one, Authenticator)), None
            )
            catalogue = Catalogue(blueprint.settings.models, providers, created, _knowledge(blueprint, services))
            door = _door(blueprint.chain, stages)
            return cls(blueprint, services, chain, stages, catalogue, authenticator, door, stack.pop_all())

    def candidates(self, request: Request) -> tuple[Target, ...]:
        """The targets of the request's model that can serve it; empty if nobody serves the model."""
        return able(request, self.catalogue.candidates(request.model), self.chain.providers)

    async def admit(self, door: Door, client: Client) -> HeadCheck:
        """What this generation's door says of a caller. Failures are kept for the stage to raise in its place.

        The generation stays open meanwhile, as it does for an exchange.
        """
        self.chain.enter()
        try:
            return HeadCheck(await door(client))
        except (Exception, asyncio.CancelledError) as error:  # a cancellation that nobody asked for is kept as well
            if own_failure(error):
                return HeadCheck(error=error)
            raise
        finally:
            self.chain.leave()

    async def authenticate(self, client: Client) -> Principal | None:
        """Who asks outside of an exchange; None where no stage says so. Raises what the stage raises.

        The generation stays open meanwhile, as it does for an exchange.
        """
        if self.authenticator is None:
            return None
        with self.opened():
            return await self.authenticator.authenticate(client)

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """The stages, which stay open until the block ends, as they do for an exchange."""
        self.chain.enter()
        try:
            yield Opened(self.blueprint.chain, self._stages)
        finally:
            self.chain.leave()

    async def close(self) -> None:
        """Close stages and give providers back. A stage that fails to close is logged: the others close too."""
        try:
            await self._stack.aclose()
        except Exception:  # whatever a plugin raises as it closes: nobody waits for it any more
            log.exception("closing a generation failed")


def _door(plan: ChainPlan, stages: Sequence[Stage]) -> Door | None:
    """The way past the doorkeeper, within the stage's time, if everything before it only observes: another stage could
    have an answer even for callers that it would refuse."""
    for entry, stage in zip(plan.entries, stages, strict=True):
        if says_who(type(stage)) and isinstance(stage, Doorkeeper):
            return stage.admit if entry.timeout_s is None else limited(stage.admit, entry.timeout_s)
        if not entry.observer:
            return None
    return None


def _knowledge(blueprint: Blueprint, services: Services) -> Knowledge:
    kinds = {plan.name: plan.kind.name for plan in blueprint.providers}
    return Knowledge(blueprint.catalogue, kinds, services.clock)
