"""An exit closes everything that was opened, whatever ends its drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self

import pytest

from sentinel_core import Gateway, Registry, Stage
from sentinel_core.config import settings_from
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.json_types import TomlTable
from sentinel_core.messages import Answer
from sentinel_core.services import Services
from sentinel_core.testing import HANG, FakeProvider, chat_body
from tests.pace import AT_ONCE_S, in_time, until


class Held(Stage):
    """Notes which of its instances are open, and that what it was given is open for longer."""

    name = "held"
    living: ClassVar[set[Stage]]
    closing: ClassVar[asyncio.Event]
    way: ClassVar[asyncio.Event]

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        """Open until the generation closes."""
        stage = cls(config)
        cls.living.add(stage)
        yield stage
        cls.closing.set()
        await cls.way.wait()
        services.executor.submit(int).result()
        cls.living.discard(stage)


class Lingering:
    """A plugin whose job takes its time to end."""

    def __init__(self) -> None:
        self.way, self.ending = asyncio.Event(), asyncio.Event()

    @hookimpl
    def sentinel_jobs(self) -> Iterable[Job]:
        return (Job("lingering", self.run),)

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ending.set()
            await self.way.wait()


def gateway(provider: FakeProvider, *plugins: object, drain_timeout_s: float = 60.0) -> Gateway:
    Held.living, Held.closing, Held.way = set(), asyncio.Event(), asyncio.Event()
    Held.way.set()
    registry = Registry()
    for plugin in (Held, provider.kind(), *plugins):
        registry.register(plugin)
    tables: TomlTable = {"stages": {"held": {}}, "providers": {"fake": {"models": ["fake"]}}}
    return Gateway(settings_from({**tables, "server": {"drain_timeout_s": drain_timeout_s}}), registry=registry)


async def asked(live: Gateway, provider: FakeProvider) -> asyncio.Task[Answer]:
    """A request that has reached the upstream, and gets no answer."""
    before = len(provider.calls)
    request = asyncio.create_task(live.complete(chat_body()))
    await until(lambda: len(provider.calls) > before)
    return request


async def given_up(*requests: asyncio.Task[Answer]) -> None:
    """Everybody who asks leaves."""
    for request in requests:
        request.cancel()
    await asyncio.wait(requests)


class Host:
    """Leaves its gateway while somebody still asks."""

    def __init__(self, live: Gateway, provider: FakeProvider) -> None:
        self.requests: list[asyncio.Task[Answer]] = []
        self.task = asyncio.create_task(self._run(live, provider))

    async def _run(self, live: Gateway, provider: FakeProvider) -> None:
        async with live:
            self.requests.append(await asked(live, provider))

    async def over(self) -> None:
        """Return once it has been cancelled."""
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def test_a_host_that_is_cancelled_while_its_gateway_drains_closes_it_and_may_open_it_again() -> None:
    provider = FakeProvider(HANG)
    live = gateway(provider)
    host = Host(live, provider)
    await until(lambda: live.draining)
    assert len(Held.living) == 1
    host.task.cancel()
    await in_time(host.over(), AT_ONCE_S)
    assert (live.started, Held.living) == (False, set())
    await given_up(*host.requests)
    provider.script(("Hello",))
    async with live:
        assert (await live.complete(chat_body())).body["choices"]
        assert len(Held.living) == 1
    assert Held.living == set()


async def test_a_host_that_is_cancelled_again_while_a_job_ends_closes_the_rest() -> None:
    provider, lingering = FakeProvider(HANG), Lingering()
    live = gateway(provider, lingering)
    host = Host(live, provider)
    await until(lambda: live.draining)
    host.task.cancel()
    try:
        await until(lingering.ending.is_set, AT_ONCE_S)
        host.task.cancel()
        await in_time(host.over(), AT_ONCE_S)
        assert (live.started, Held.living) == (False, set())
    finally:
        lingering.way.set()
    await given_up(*host.requests)


async def test_generations_that_a_drain_could_not_wait_for_are_closed_before_what_they_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sentinel_core.gateway.drain.FINISHERS_S", 0.0)
    provider, requests = FakeProvider(HANG), list[asyncio.Task[Answer]]()
    live = gateway(provider, drain_timeout_s=0.01)
    async with live:
        for _ in range(2):
            requests.append(await asked(live, provider))
            await live.reload()
        requests.append(await asked(live, provider))
        assert len(Held.living) == 3
    assert (Held.living, live.in_flight) == (set(), 0)
    await given_up(*requests)
    assert await live.drain(AT_ONCE_S)


async def test_a_generation_that_is_closing_when_the_drain_runs_out_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sentinel_core.gateway.drain.FINISHERS_S", 0.0)
    provider = FakeProvider(HANG)
    live = gateway(provider, drain_timeout_s=0.01)
    async with live:
        request = await asked(live, provider)
        await live.reload()
        way = Held.way
        way.clear()
        await given_up(request)
        await until(Held.closing.is_set)  # nobody uses the old one any more
        Held.way = asyncio.Event()
        Held.way.set()
        asyncio.get_running_loop().call_later(0.1, way.set)  # when the drain is over
    assert Held.living == set()
