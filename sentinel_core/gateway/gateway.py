"""`Gateway`: what a server, a host application or a script holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

from sentinel_core.authenticator import Authenticator, HeadCheck
from sentinel_core.chain import ChainPlan, Delivery, Exchange, Tracker
from sentinel_core.commands import Command
from sentinel_core.config import File, Settings
from sentinel_core.context import Client, Context
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.errors import Refusal
from sentinel_core.gateway import outside
from sentinel_core.gateway.asking import Body, decoded, new_id
from sentinel_core.gateway.blueprint import Blueprint, Judge, check_fixed, draw, warnings_about
from sentinel_core.gateway.catalogue import ModelInfo
from sentinel_core.gateway.drain import Drain
from sentinel_core.gateway.generation import Generation, Opened, ProviderPool
from sentinel_core.gateway.healthcheck import HealthChecks
from sentinel_core.gateway.opening import Opening
from sentinel_core.gateway.retired import Retired
from sentinel_core.gateway.sources import Sources
from sentinel_core.jobs import Job, Jobs
from sentinel_core.keys import CANDIDATES, Principal, Target
from sentinel_core.messages import Answer, Request
from sentinel_core.provider import Health, Provider
from sentinel_core.records import RecordStore
from sentinel_core.registry import Registry
from sentinel_core.services import Services
from sentinel_core.state import StateStore


class Gateway:
    """One configuration, open or not. `async with gateway:` opens it; the exit drains and closes it.

    Raises `ConfigError` with every problem when it is made, before anything is opened. `registry` may hold plugins of
    this process, and stays as it is; `services` replaces the outside world, stores included; `judge` adds what its host
    refuses.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry | None = None,
        services: Services | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._registry, self._given = registry or Registry(), services
        self._sources: Sources | None = None
        self._blueprint = draw(settings, self._registry.copy(), judge, given=services)
        self._json_limits = settings.server.json_limits
        self._tracker, self._jobs, self._pool = Tracker(), Jobs(), ProviderPool()
        self._generation: Generation | None = None
        self._retired, self._health = Retired(self._tracker), HealthChecks(lambda: self.services.clock.monotonic())
        self._drain = Drain(self._retired, self._tracker)
        self._services: Services | None = services
        self._stack = AsyncExitStack()
        self._reloading, self._opening = asyncio.Lock(), Opening()
        self._started_at: float | None = None
        self.draining = False
        self.endpoints: tuple[Endpoint | Socket, ...] = self._blueprint.registry.endpoints(self)
        self._planned: tuple[Job, ...] = self._blueprint.registry.jobs(self)
        self.commands: tuple[Command, ...] = self._blueprint.registry.commands()

    @classmethod
    def load(
        cls, path: File | None = None, *, environ: Mapping[str, str] | None = None, env_file: File | None = None
    ) -> Gateway:
        """A gateway from `sentinel.toml` and the environment. Raises `ConfigError` with every problem."""
        sources = Sources(path, environ, env_file)
        gateway = cls(sources.read())
        gateway._sources = sources.settled(gateway.settings)
        return gateway

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._blueprint.settings

    @property
    def blueprint(self) -> Blueprint:
        """Everything that was decided before anything was opened."""
        return self._blueprint

    @property
    def chain(self) -> ChainPlan:
        """The stages in order, and what was decided about each."""
        return self._blueprint.chain

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Open providers by the names of their tables."""
        return self._open_generation().chain.providers

    @property
    def authenticator(self) -> Authenticator | None:
        """The stage of the chain that says who asks; None where there is none."""
        return self._open_generation().authenticator

    @property
    def services(self) -> Services:
        """What plugins are given, once the gateway is open. Raises `Refusal` (not_started) before."""
        if self._services is None:
            raise Refusal("not_started")
        return self._services

    @property
    def state(self) -> StateStore:
        """The state store, once the gateway is open."""
        return self.services.state

    @property
    def records(self) -> RecordStore:
        """The record store, once the gateway is open."""
        return self.services.records

    @property
    def started(self) -> bool:
        """Open, and not closed."""
        return self._generation is not None

    @property
    def uptime_s(self) -> float:
        """Seconds since it was opened; 0 before."""
        return time.monotonic() - self._started_at if self._started_at is not None else 0.0

    @property
    def in_flight(self) -> int:
        """Exchanges that are open, or whose finishers still run."""
        return self._retired.users(self._generation)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know about this configuration."""
        return warnings_about(self._blueprint)

    def models(self, *names: str) -> tuple[ModelInfo, ...]:
        """Every model that is listed; with names, those of them that requests may name, listed or not."""
        return self._open_generation().catalogue.listed(*names)

    def candidates(self, model: str | None) -> tuple[Target, ...]:
        """Every target that serves the model; empty if none does."""
        return self._open_generation().catalogue.candidates(model)

    async def health(self, *, anew: bool = False) -> Mapping[str, Health]:
        """Each provider's health, at most 15 seconds old; `anew` asks every provider now. `Refusal`: not_started."""
        return await self._health.look(lambda: self.providers, anew=anew)

    async def probe(self, provider: str) -> Health:
        """One provider's health, asked now. Raises KeyError for a name that is not open, `Refusal`: not_started."""
        return await self._health.probe(provider, lambda: self.providers)

    # -- life cycle ---------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._generation is not None:
            raise RuntimeError("the gateway is open already")
        self._begin()
        async with AsyncExitStack() as stack:
            opened = self._given or await outside.opened(self._blueprint, stack)
            services = outside.completed(opened, self._blueprint.registry)
            self._generation = await Generation.open(self._blueprint, self._pool, services, self._tracker)
            self._services = self._generation.services
            self._stack = stack.pop_all()
        self._started_at = time.monotonic()
        self.draining = False
        await self._jobs.replace(self._planned)
        return self

    def _begin(self) -> None:
        """Locks belong to the loop that they are used in first, which may be another one at each opening."""
        self._reloading = asyncio.Lock()
        self._health.begin()
        self._jobs.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with AsyncExitStack() as rest:  # each step runs, whatever ends the one before it
            rest.push_async_callback(self._stack.aclose)
            rest.push_async_callback(self._close_generations)
            rest.push_async_callback(self._end_jobs)
            rest.push_async_callback(lambda: self._drain.break_off(self._generation))
            self.begin_drain()
            await self.drain(self._drain.left_s(self.settings.server.drain_timeout_s))

    async def _end_jobs(self) -> None:
        async with self._reloading:
            await self._jobs.replace(())

    async def _close_generations(self) -> None:
        generation, self._generation = self._generation, None
        await self._retired.close(generation)

    async def reload(self, settings: Settings | None = None) -> None:
        """Open a new generation and swap it in. Running exchanges end on the one they began with.

        Without `settings`, what `load` read is read again; a gateway of given settings opens those anew. `[server]`
        stays as it is until the next start. Raises `ConfigError`, also for a plugin's mistake as it opened, `Refusal`
        (not_started, draining), or the `OSError` that a plugin met; nothing has changed then.
        """
        async with self._reloading:
            if settings is None:
                settings = await asyncio.to_thread(self._sources.read) if self._sources else self.settings
            old, registry = self._accepting(), self._registry.copy()
            blueprint = draw(replace(settings, server=self.settings.server), registry, given=self._given)
            check_fixed(self._blueprint, blueprint)
            services = outside.completed(self.services, registry)
            new = await self._opening.run(Generation.open(blueprint, self._pool, services, self._tracker))
            before = self._blueprint, self.services
            self._generation, self._blueprint, self._services = new, blueprint, new.services
            try:  # plugins look at the gateway as it will be
                self.endpoints, self._planned = registry.endpoints(self), registry.jobs(self)
            except Exception:  # whatever a plugin contributes, nothing has changed then
                self._generation, (self._blueprint, self._services) = old, before
                await asyncio.shield(self._tracker.start(new.close()))
                raise
            await asyncio.shield(self._tracker.start(self._succeed(old)))  # a cancellation comes too late

    async def _succeed(self, old: Generation) -> None:
        """What a swap owes: jobs give way to the new generation's, and the old one closes when nobody uses it."""
        await self._jobs.replace(self._planned)
        await self._retired.add(old)

    def begin_drain(self) -> None:
        """Refuse new exchanges and reloads from now on; exchanges that are open go on."""
        if not self.draining:
            self.draining = True
            self._opening.stop()
            self._drain.begin()

    async def drain(self, timeout_s: float | None = None) -> bool:
        """Refuse new exchanges and wait until every open one, and every finisher, has ended. False if time ran out."""
        self.begin_drain()
        return await self._drain.over(self._generation, timeout_s)

    # -- the ways in --------------------------------------------------------------------------------------------

    def context(
        self,
        request: Request,
        *,
        id: str = "",  # noqa: A002 - the domain's word
        client: Client | None = None,
        deadline: float | None = None,
    ) -> Context:
        """A context for one request: its id, its deadline, and the targets that serve its model."""
        ctx = Context(request, id=id or new_id(), client=client, deadline=deadline)
        if self._generation is not None:
            ctx[CANDIDATES] = self._generation.candidates(request)
        return ctx

    async def admit(self, client: Client) -> HeadCheck | None:
        """What the chain's doorkeeper says of a caller by the head alone, for `ctx[HEAD_CHECK]`; None without one.

        Whoever opens an exchange at once opens it on the generation that was asked.
        """
        while (generation := self._generation) is not None and generation.door is not None:
            check = await generation.admit(generation.door, client)
            if generation is self._generation:
                return check
        return None

    async def authenticate(self, client: Client) -> Principal | None:
        """Who asks outside of an exchange; None where no stage of the chain says so. Raises `Refusal`."""
        return await self._open_generation().authenticate(client)

    def open(self, ctx: Context) -> Exchange:
        """One exchange, to be entered with `async with`. Raises `Refusal`: not_started, draining."""
        return Exchange(self._accepting().chain, ctx)

    def stages(self) -> AbstractContextManager[Opened]:
        """The stages of the chain in force, for whoever asks single ones. Raises `Refusal`: not_started, draining."""
        return self._accepting().opened()

    async def complete(self, body: Body, *, client: Client | None = None, dialect: Dialect = OPENAI_CHAT) -> Answer:
        """Ask for one answer. Raises `Refusal`, `UpstreamError` or `StageFault`."""
        async with self.open(self.context(self._request(body, dialect, stream=False), client=client)) as reply:
            if not isinstance(reply, Answer):
                raise TypeError("a unary exchange gave a stream")
            return reply

    @asynccontextmanager
    async def stream(
        self, body: Body, *, client: Client | None = None, dialect: Dialect = OPENAI_CHAT
    ) -> AsyncIterator[Delivery]:
        """Ask for a stream: `async with gateway.stream(body) as events:`. Leaving it closes the upstream."""
        async with self.open(self.context(self._request(body, dialect, stream=True), client=client)) as reply:
            if isinstance(reply, Answer):
                raise TypeError("a streaming exchange gave an answer")
            yield reply

    def _request(self, body: Body, dialect: Dialect, *, stream: bool) -> Request:
        return dialect.decode_request(decoded(body, self._json_limits, stream=stream))

    def _accepting(self) -> Generation:
        generation = self._open_generation()
        if self.draining:
            raise Refusal("draining", retry_after_s=1)
        return generation

    def _open_generation(self) -> Generation:
        if self._generation is None:
            raise Refusal("not_started")
        return self._generation
