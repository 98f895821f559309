"""What every provider must keep, as tests that an author inherits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import ClassVar

import pytest

from sentinel_core.chain import Chain, ChainPlan, Delivery, Exchange, Tracker
from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.dialects.base import Dialect
from sentinel_core.errors import ConfigError
from sentinel_core.events import Finish, TextEvent
from sentinel_core.json_types import TomlValue
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.messages import Answer
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.services import Services
from sentinel_core.testing.clients import CLIENTS, asked, reads
from sentinel_core.testing.connections import CountedPools
from sentinel_core.testing.harness import context, encoded, fake_services, run


class ProviderConformance:
    """Subclass it and say which provider, which configuration and which model.

    >>> class TestAcme(ProviderConformance):
    ...     provider = AcmeLLM
    ...     config = {}
    ...     model = "acme-1"

    A provider with a network overrides `services` to bring pools that reach a scripted upstream. Their connections
    are counted; what a provider opens in any other way is its own tests' to look at.
    """

    provider: ClassVar[type[Provider]]
    config: ClassVar[Mapping[str, TomlValue]] = {}
    model: ClassVar[str]

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        """What the provider is opened with."""
        async with fake_services() as made:
            yield made

    def converted(self, **more: TomlValue) -> ProviderConfig:
        """The configuration as a file's would be. Raises `ConfigError`."""
        name = self.provider.name
        settings = settings_from({"providers": {name: {**self.config, **more}}})
        config, problems = settings.providers[name].convert(self.provider.Config)
        if config is None or problems:
            raise ConfigError(problems)
        return config

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Provider]:
        """The provider, which must have given back every connection when the test is done with it."""
        async with self.services() as services:
            pools = CountedPools(services.http)
            async with self.provider.open(self.converted(), replace(services, http=pools)) as live:
                yield live
                assert not pools.open, f"{pools.open} of the upstream's responses were neither released nor aborted"

    @asynccontextmanager
    async def chain(self) -> AsyncIterator[Chain]:
        """An empty chain in front of the provider."""
        tracker = Tracker()
        async with self.opened() as live:
            yield Chain(ChainPlan(()), (), {"under_test": live}, tracker)
            await tracker.drained()

    def _context(self, prompt: str, *, stream: bool) -> Context:
        ctx = context(prompt, stream=stream)
        ctx[CANDIDATES] = (Target("under_test", self.model),)
        return ctx

    def test_it_rejects_an_unknown_key(self) -> None:
        """A typo is an error at start, and the message names it."""
        with pytest.raises(ConfigError, match="no_such_key_"):
            self.converted(no_such_key_=1)

    async def test_it_answers(self) -> None:
        """A unary call gives an answer with a choice."""
        async with self.chain() as chain, Exchange(chain, self._context("Hello", stream=False)) as reply:
            assert isinstance(reply, Answer)
            assert reply.body["choices"]

    async def test_it_streams_to_a_finish(self) -> None:
        """A stream has content and a finish for its choice."""
        async with self.chain() as chain, Exchange(chain, self._context("Hello", stream=True)) as reply:
            assert isinstance(reply, Delivery)
            events = [event async for event in reply]
        assert any(isinstance(event, TextEvent) for event in events)
        assert any(isinstance(event, Finish) for event in events)

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("dialect", CLIENTS, ids=lambda dialect: dialect.name)
    async def test_every_client_can_read_its_answers(self, dialect: Dialect, stream: bool) -> None:
        """Clients of each format get an answer in it, with content and a finish. A reply says its own `dialect`; one
        that is not the client's is translated."""
        ctx = asked(dialect, stream=stream)
        ctx[CANDIDATES] = (Target("under_test", self.model),)
        async with self.chain() as chain:
            driven = await run(chain, ctx)
        assert driven.error is None
        events = reads(ctx, encoded(driven))
        assert any(isinstance(event, TextEvent) and event.text for event in events)
        assert any(isinstance(event, Finish) for event in events)

    async def test_leaving_early_closes_the_upstream(self) -> None:
        """A caller who leaves after the first event leaves no connection and no task."""
        before = asyncio.all_tasks()
        ctx = self._context("Hello, tell me a long story", stream=True)
        async with self.chain() as chain, Exchange(chain, ctx) as reply:
            assert isinstance(reply, Delivery)
            await anext(reply)
        assert asyncio.all_tasks() == before

    async def test_two_calls_never_meet(self) -> None:
        """Calls that run side by side, and are read event by event in turn, get the replies they would get alone."""
        prompts = [f"Hello number {number}" for number in range(5)]
        async with self.chain() as chain:
            for stream in (True, False):
                alone = [await self._said(chain, prompt, stream=stream) for prompt in prompts]
                together = await asyncio.gather(*(self._said(chain, prompt, stream=stream) for prompt in prompts))
                assert list(together) == alone

    async def _said(self, chain: Chain, prompt: str, *, stream: bool) -> str:
        driven = await run(chain, self._context(prompt, stream=stream), in_turn=True)
        assert driven.error is None
        return driven.text

    async def test_its_health_check_never_raises(self) -> None:
        """A provider that is ill says so."""
        async with self.opened() as live:
            assert isinstance(await live.health_check(), Health)
