"""A reload swaps the chain under load: nobody's request fails, and a broken configuration changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from sentinel_core import Gateway, Registry, Stage
from sentinel_core.config import Settings, settings_from
from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket
from sentinel_core.errors import ConfigError, Refusal
from sentinel_core.gateway.sources import Sources
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.services import Services
from sentinel_core.testing import FakeProvider, chat_body, settle


class Watched(Stage):
    """Notes which of its instances are open."""

    name = "watched"
    living: ClassVar[set[Stage]]
    opening: ClassVar[asyncio.Event]
    way: ClassVar[asyncio.Event]

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        """Open once the way is free, until the generation closes."""
        cls.opening.set()
        await cls.way.wait()
        stage = cls(config)
        cls.living.add(stage)
        yield stage
        cls.living.discard(stage)


def settings(**tables: TomlValue) -> Settings:
    return settings_from({"stages": {"watched": {}}, "providers": {"fake": {"models": ["fake"]}}, **tables})


def gateway(provider: FakeProvider, *plugins: object) -> Gateway:
    Watched.living, Watched.opening, Watched.way = set(), asyncio.Event(), asyncio.Event()
    Watched.way.set()
    registry = Registry()
    registry.register(Watched)
    registry.register(provider.kind())
    for plugin in plugins:
        registry.register(plugin)
    return Gateway(settings(), registry=registry)


async def test_a_reload_under_load_fails_no_request() -> None:
    async with gateway(FakeProvider()) as live:
        asked = [asyncio.create_task(live.complete(chat_body())) for _ in range(20)]
        for _ in range(5):
            await live.reload()
            asked += [asyncio.create_task(live.complete(chat_body())) for _ in range(20)]
        answers = await asyncio.gather(*asked)
        assert all(answer.body["choices"] for answer in answers)
        assert await live.drain(1)
        assert len(Watched.living) == 1


async def test_a_running_stream_ends_on_the_generation_it_began_with() -> None:
    gate = asyncio.Event()
    async with gateway(FakeProvider(("a", gate, "b"))) as live:
        (old,) = Watched.living
        async with live.stream(chat_body()) as events:
            await anext(events)
            await live.reload()
            assert old in Watched.living
            assert len(Watched.living) == 2
            gate.set()
            assert len([event async for event in events]) == 3
        await settle()
        assert old not in Watched.living


async def test_a_provider_whose_table_is_unchanged_stays_open() -> None:
    async with gateway(FakeProvider()) as live:
        before = live.providers["fake"]
        await live.reload()
        assert live.providers["fake"] is before


class Looked(Provider):
    """Its client is closed with it; while it is open, its health check takes until the gate opens."""

    name = "looked"
    gate: ClassVar[asyncio.Event]

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.closed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        provider = cls(config)
        yield provider
        provider.closed.set()

    async def health_check(self) -> Health:
        waits = [asyncio.create_task(event.wait()) for event in (self.gate, self.closed)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return Health("unhealthy", detail="closed") if self.closed.is_set() else Health("healthy")


@pytest.mark.parametrize("asked", ["health", "probe"])
async def test_a_provider_that_a_reload_closes_under_a_health_check_has_the_health_of_its_successor(asked: str) -> None:
    Looked.gate = asyncio.Event()

    def tables(**more: TomlValue) -> Settings:
        return settings(providers={"one": {"kind": "looked", **more}})

    async with gateway(FakeProvider(), Looked) as live:
        await live.reload(tables())

        async def found() -> Health:
            return await live.probe("one") if asked == "probe" else (await live.health())["one"]

        asking = asyncio.create_task(found())
        await settle()
        await live.reload(tables(default_model="other"))
        Looked.gate.set()
        assert (await asking).status == "healthy"


@pytest.mark.parametrize(
    ("broken", "named"),
    [({"stages": {"watched": {"no_such_key": 1}}}, "no_such_key"), ({"state": {"kind": "no_such"}}, "no_such")],
)
async def test_a_broken_configuration_keeps_the_old_generation_and_says_why(broken: TomlTable, named: str) -> None:
    async with gateway(FakeProvider()) as live:
        before = live.settings
        with pytest.raises(ConfigError, match=named):
            await live.reload(settings(**broken))
        assert live.settings is before
        assert (await live.complete(chat_body())).body["choices"]


class Contrary:
    """A plugin whose route comes to be somebody else's, or whose work cannot be planned, at a reload."""

    def __init__(self, fails: str) -> None:
        self.fails = fails
        self.asked: Counter[str] = Counter()

    @hookimpl
    def sentinel_endpoints(self) -> Iterable[Endpoint | Socket]:
        self._count("endpoints")
        return ()

    @hookimpl
    def sentinel_jobs(self) -> Iterable[Job]:
        self._count("jobs")
        return ()

    def _count(self, hook: str) -> None:
        self.asked[hook] += 1
        if hook == self.fails and self.asked[hook] == 2:
            raise RuntimeError


@pytest.mark.parametrize("fails", ["endpoints", "jobs"])
async def test_a_plugin_that_fails_at_a_reload_changes_nothing(fails: str) -> None:
    contrary = Contrary(fails)
    live = gateway(FakeProvider(), contrary)
    async with live:
        before, (old,), endpoints = live.settings, Watched.living, live.endpoints
        with pytest.raises(ConfigError, match=rf"sentinel_{fails}\(\) of plugin .* failed: RuntimeError"):
            await live.reload(settings(server={"port": 1}))
        assert (live.settings is before, live.endpoints is endpoints) == (True, True)
        assert Watched.living == {old}
        assert (await live.complete(chat_body())).body["choices"]
        await live.reload()
        assert (len(Watched.living), old in Watched.living) == (1, False)


class Lingering:
    """A plugin whose job takes its time to end."""

    def __init__(self) -> None:
        self.running, self.way, self.ending = 0, asyncio.Event(), asyncio.Event()

    @hookimpl
    def sentinel_jobs(self) -> Iterable[Job]:
        return (Job("lingering", self.run),)

    async def run(self) -> None:
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ending.set()
            await self.way.wait()
            self.running -= 1


@pytest.mark.parametrize("then", ["go on", "reload", "close"])
async def test_a_reload_that_is_cancelled_once_it_has_swapped_ends_what_it_replaced(then: str) -> None:
    lingering = Lingering()
    async with gateway(FakeProvider(), lingering) as live:
        await settle()
        (old,) = Watched.living
        reload = asyncio.create_task(live.reload())
        await lingering.ending.wait()
        reload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reload
        lingering.way.set()
        if then == "reload":
            await live.reload()
        if then != "close":
            await settle()
            assert (lingering.running, len(Watched.living), old in Watched.living) == (1, 1, False)
    assert (lingering.running, Watched.living) == (0, set())


async def test_a_store_that_lives_as_long_as_the_process_cannot_change_in_it() -> None:
    async with gateway(FakeProvider()) as live:
        before, state = live.settings, live.state
        with pytest.raises(ConfigError, match=r"\[state\] cannot change while the gateway runs; restart it"):
            await live.reload(settings(state={"max_entries": 7}))
        assert (live.settings is before, live.state is state) == (True, True)
        await live.reload(settings(state={"kind": "memory"}))
        assert live.state is state
        assert (await live.complete(chat_body())).body["choices"]


async def test_what_the_server_runs_with_stays_until_the_next_start() -> None:
    async with gateway(FakeProvider()) as live:
        before = live.settings.server
        await live.reload(settings(server={"drain_timeout_s": 1, "port": 1}))
        assert live.settings.server is before


async def opening(live: Gateway) -> asyncio.Task[None]:
    """A reload that waits for the way to be free."""
    Watched.opening.clear()
    Watched.way.clear()
    reloading = asyncio.create_task(live.reload())
    await Watched.opening.wait()
    return reloading


async def test_a_drain_ends_a_reload_that_is_still_opening_and_refuses_others() -> None:
    async with gateway(FakeProvider()) as live:
        reloading = await opening(live)
        live.begin_drain()
        with pytest.raises(Refusal, match="draining"):
            await reloading
        with pytest.raises(Refusal, match="draining"):
            await live.reload()
        assert len(Watched.living) == 1


async def test_an_exit_ends_a_reload_that_is_still_opening() -> None:
    async with gateway(FakeProvider()) as live:
        reloading = await opening(live)
    assert (reloading.done(), Watched.living) == (True, set())
    with pytest.raises(Refusal, match="draining"):
        await reloading


async def test_a_cancelled_reload_is_cancelled() -> None:
    async with gateway(FakeProvider()) as live:
        reloading = await opening(live)
        reloading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reloading
        Watched.way.set()
        await live.reload()
        assert len(Watched.living) == 1


async def test_a_time_out_of_a_stage_is_no_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late() -> None:
        raise TimeoutError

    async with gateway(FakeProvider()) as live:
        monkeypatch.setattr(Watched.way, "wait", late)
        with pytest.raises(TimeoutError):
            await live.reload()


ONE, TWO = ('[providers.echo]\nmodels = ["one"]\n', '[providers.echo]\nmodels = ["one", "two"]\n')


def served(live: Gateway) -> list[str]:
    return [model.id for model in live.models()]


async def test_a_reload_reads_the_file_again_that_load_has_read(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.toml"
    path.write_text(ONE, encoding="utf-8")
    async with Gateway.load(path, environ={}) as live:
        path.write_text(TWO, encoding="utf-8")
        await live.reload()
        assert served(live) == ["one", "two"]


async def test_a_reload_reads_the_environment_again_that_load_has_read(tmp_path: Path) -> None:
    variables = tmp_path / ".env"
    for name, text in (("one.toml", ONE), ("two.toml", TWO)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    variables.write_text(f"SENTINEL_CONFIG={tmp_path / 'one.toml'}\n", encoding="utf-8")
    async with Gateway.load(environ={}, env_file=variables) as live:
        variables.write_text(f"SENTINEL_CONFIG={tmp_path / 'two.toml'}\n", encoding="utf-8")
        await live.reload()
        assert served(live) == ["one", "two"]


async def test_c10_a_file_that_nobody_named_has_to_be_there_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sentinel.toml").write_text(ONE, encoding="utf-8")
    async with Gateway.load(environ={}) as live:
        Path("sentinel.toml").unlink()
        with pytest.raises(ConfigError, match="No such file"):
            await live.reload()
        assert served(live) == ["one"]


@pytest.mark.parametrize("broken", ["[providers.echo]\nnonsense = 1\n", "[providers.echo\n", None])
async def test_a_file_that_cannot_be_used_any_more_is_told_and_changes_nothing(
    tmp_path: Path, broken: str | None
) -> None:
    path = tmp_path / "sentinel.toml"
    path.write_text(ONE, encoding="utf-8")
    async with Gateway.load(path, environ={}) as live:
        if broken is None:
            path.unlink()
        else:
            path.write_text(broken, encoding="utf-8")
        with pytest.raises(ConfigError, match=str(path)):
            await live.reload()
        assert served(live) == ["one"]
        await live.reload(settings_from({"providers": {"echo": {"models": ["two"]}}}))
        assert served(live) == ["two"]


async def test_a_drain_that_begins_while_the_file_is_read_ends_the_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sentinel.toml"
    path.write_text(ONE, encoding="utf-8")
    async with Gateway.load(path, environ={}) as live:
        read = Sources.read

        def drained(sources: Sources) -> Settings:
            live.begin_drain()
            return read(sources)

        monkeypatch.setattr(Sources, "read", drained)
        with pytest.raises(Refusal) as refused:
            await live.reload()
    assert refused.value.code == "draining"


class Contributing:
    """A plugin of the host's own."""

    @hookimpl
    def sentinel_endpoints(self) -> Iterable[Endpoint]:
        return (Endpoint("GET", "/v1/own", own_route),)


async def own_route(request: HttpRequest) -> HttpReply:
    """Nothing."""
    return HttpReply(None)


def paths(live: Gateway) -> set[str]:
    return {endpoint.path for endpoint in live.endpoints}


async def test_stages_that_a_reload_takes_out_leave_nothing_where_the_host_has_a_registry_of_its_own() -> None:
    provider = {"providers": {"echo": {"models": ["echo"]}}}
    host, registry = Contributing(), Registry()
    registry.register(host)
    live = Gateway(settings_from({**provider, "stages": {"usage": {}, "audit": {}}}), registry=registry)
    async with live:
        assert {"/v1/own", "/v1/usage", "/v1/audit"} <= paths(live)
        assert registry.stages == {}  # it is the host's
        await live.reload(settings_from(provider))
        assert paths(live) == {"/v1/own"}
        await live.reload(settings_from({**provider, "stages": {"audit": {}}}))
        assert {"/v1/own", "/v1/audit"} <= paths(live)
        assert "/v1/usage" not in paths(live)
