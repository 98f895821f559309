"""What plugins hand over: hooks and classes that are what they say, or words that say what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.commands import Command
from sentinel_core.config import settings_from
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.keys import PRINCIPAL
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_core.state import StoreConfig
from tests.core.plugin_objects import NO_GATEWAY, Alpha, Up, answer, listen, refused, route_plugin, stage_plugin


@hookimpl
def misspelt() -> list[type[Stage]]:
    return []


@hookimpl(tryfirst=True)
def eager() -> list[type[Stage]]:
    return []


@hookimpl
def failing() -> list[type[Stage]]:
    raise RuntimeError("sk-canary")


@hookimpl
def failing_generator() -> Iterator[type[Stage]]:
    yield Alpha
    raise RuntimeError("sk-canary")


@hookimpl
def greedy(gatway: object) -> list[type[Stage]]:
    return []


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("sentinel_stagez", misspelt, "unknown hook 'sentinel_stagez'; did you mean 'sentinel_stages'?"),
        ("on_request", misspelt, "unknown hook 'on_request'; phases belong into a Stage class"),
        ("sentinel_stages", eager, "use @hookimpl without options"),
        ("sentinel_stages", failing, "sentinel_stages() of plugin"),
        ("sentinel_stages", failing_generator, "failed: RuntimeError"),
        ("sentinel_endpoints", greedy, "Argument(s) {'gatway'} are declared in the hookimpl but can not be found"),
    ],
)
def test_a_hook_that_is_none_or_fails_is_refused(name: str, function: object, message: str) -> None:
    registry = Registry()
    text = refused(lambda: registry.register(SimpleNamespace(**{name: function})))
    assert message in text
    assert "canary" not in text
    registry.check_pending()
    assert registry.stages == {}


class NoName(Stage):
    pass


class BadName(Stage):
    name: ClassVar[str] = "Acme-Words"


class BadConfig(Stage):
    name: ClassVar[str] = "bad_config"
    Config = cast("Any", StoreConfig)  # what mypy would refuse, and what an author without mypy writes


class Commaless(Stage):
    name: ClassVar[str] = "commaless"
    before = cast("Any", ("auth"))  # what mypy would refuse: a text


class Misplaced(Stage):
    name: ClassVar[str] = "misplaced"
    writes = cast("Any", {"on_reqest": (PRINCIPAL,)})  # as above: no phase


class Unnamed(Stage):
    name: ClassVar[str] = "unnamed"
    after = cast("Any", (Alpha,))  # as above: no names


class Keyed(Stage):
    name: ClassVar[str] = "keyed"
    reads = cast("Any", PRINCIPAL)  # as above: no tuple


class Ajar(Stage):
    name: ClassVar[str] = "ajar"
    on_fault = cast("Any", "opne")  # as above


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (Commaless, "Commaless.before must be a tuple of names; found 'auth'"),
        (Misplaced, "Misplaced.writes names a phase that is none; found 'on_reqest'; did you mean 'on_request'?"),
        (Unnamed, "Unnamed.after must be a tuple of names; found Alpha"),
        (Keyed, "Keyed.reads must be a tuple of keys, or one for each phase; found "),
        (Ajar, "Ajar.on_fault must be 'closed' or 'open'; found 'opne'"),
        (NoName, "a name is a lower-case letter, then lower-case letters, digits and _; found None"),
        (BadName, "found 'Acme-Words'"),
        (BadConfig, "BadConfig.Config must be a StageConfig; found StoreConfig"),
        (int, "a contribution is a class: a Stage, a Provider, a StateStore or a RecordStore; found int"),
        (stage_plugin(cast("type[Stage]", "alpha")), "a contribution is a class"),
        (stage_plugin(cast("type[Stage]", Up)), "sentinel_stages() must return classes of its own kind; found Up"),
    ],
)
def test_a_contribution_that_is_none_is_refused(plugin: object, message: str) -> None:
    assert message in refused(lambda: Registry().register(plugin))


class HalfStore:
    """What a store has, but for its methods."""

    kind = "half"
    Config = StoreConfig

    async def get(self, key: str) -> bytes | None:
        """Nothing."""


def test_what_a_store_lacks_is_named() -> None:
    text = refused(lambda: Registry().register(HalfStore))
    assert "HalfStore is no store: as a StateStore it lacks available, open, set, " in text
    assert "; as a RecordStore it lacks available, open, reader, " in text


@given(st.text())
def test_no_name_but_a_plain_one_is_accepted(name: str) -> None:
    registry = Registry()
    stage = type("Generated", (Stage,), {"name": name})
    try:
        registry.register(stage)
    except ConfigError:
        assert registry.stages == {}
    else:
        assert name.isascii()
        assert name == name.lower()
        assert name.replace("_", "").isalnum()


def command_plugin(*names: str) -> SimpleNamespace:
    @hookimpl
    def sentinel_commands() -> Iterable[Command]:
        return [Command(name, lambda: 0) for name in names]

    return SimpleNamespace(sentinel_commands=sentinel_commands)


def test_routes_and_commands_of_all_plugins_are_gathered() -> None:
    registry = Registry()
    first, second = Endpoint("GET", "/a", answer), Socket("/a", listen)
    registry.register(route_plugin(first))
    registry.register(route_plugin(second))
    registry.register(command_plugin("keys"))
    assert registry.endpoints(NO_GATEWAY) == (first, second)
    assert [command.name for command in registry.commands()] == ["keys"]


def returning(hook: str, value: object) -> SimpleNamespace:
    def implementation() -> object:
        return value

    return SimpleNamespace(**{hook: hookimpl(implementation)})


async def work() -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("hook", "value", "found"),
    [
        ("sentinel_endpoints", [("GET", "/a", answer)], "Endpoint or Socket; found <class 'tuple'>"),
        ("sentinel_endpoints", Endpoint("GET", "/a", answer), "Endpoint or Socket; found <class 'sentinel_core.endpoi"),
        ("sentinel_jobs", [work], "Job; found <class 'function'>"),
        ("sentinel_jobs", Job("work", work), "Job; found <class 'sentinel_core.jobs.Job'>"),
        ("sentinel_commands", [work], "Command; found <class 'function'>"),
        ("sentinel_commands", "keys", "Command; found 'keys'"),
    ],
)
def test_a_hook_that_returns_something_else_is_refused(hook: str, value: object, found: str) -> None:
    registry = Registry()
    registry.register(returning(hook, value))
    text = refused(lambda: Gateway(settings_from({}), registry=registry))
    assert f"{hook}() must return a list of {found}" in text


def test_a_hook_may_return_nothing() -> None:
    registry = Registry()
    for hook in ("sentinel_endpoints", "sentinel_jobs", "sentinel_commands"):
        registry.register(returning(hook, None))
    gateway = Gateway(settings_from({}), registry=registry)
    assert (gateway.endpoints, gateway.commands) == ((), ())


@pytest.mark.parametrize("name", ["serve", "check acme"])
def test_a_command_of_sentinels_own_is_refused(name: str) -> None:
    registry = Registry()
    registry.register(command_plugin(name))
    assert f"the command {name!r} is Sentinel's own: it would never be run" in refused(registry.commands)


def test_a_command_without_a_name_is_refused() -> None:
    registry = Registry()
    registry.register(command_plugin(" "))
    assert "a command has a name and a function to run; found ' '" in refused(registry.commands)


def test_a_route_or_command_that_two_plugins_claim_is_refused() -> None:
    registry = Registry()
    for _ in range(2):
        registry.register(route_plugin(Endpoint("GET", "/a", answer)))
        registry.register(command_plugin("keys"))
    assert "two plugins bring the route GET /a" in refused(lambda: registry.endpoints(NO_GATEWAY))
    assert "two plugins bring the command 'keys'" in refused(registry.commands)


def test_services_are_contributed_by_name() -> None:
    @hookimpl
    def sentinel_services() -> dict[str, Callable[[], object]]:
        return {"prices": dict}

    registry = Registry()
    registry.register(SimpleNamespace(sentinel_services=sentinel_services))
    assert registry.services == {"prices": dict}
