"""What an author gets wrong at start is told with the table that brought it in, and where it went wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.provider import Provider
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage

SECRET = "4111 1111 1111 1111"


def opens(step: Any) -> dict[str, Any]:  # Any: what is wrong
    return {"open": classmethod(asynccontextmanager(step))}


async def nothing(cls: Any, config: Any, services: Any) -> AsyncIterator[None]:  # Any: any class's
    yield


async def fails(cls: Any, config: Any, services: Any) -> AsyncIterator[None]:  # Any: as above
    raise KeyError(SECRET)
    yield


async def unreachable(cls: Any, config: Any, services: Any) -> AsyncIterator[None]:  # Any: as above
    raise ConnectionRefusedError
    yield


def without_configuration(self: object) -> None:
    """Takes none."""


def without_base(self: object, config: object) -> None:
    """Does not hand it on."""


async def in_a_while(self: object) -> tuple[str, ...]:
    return ("acme-1",)


async def refused(kind: type[Stage] | type[Provider]) -> str:
    """What is said of a gateway with one table of that class."""
    registry = Registry()
    registry.register(kind)
    table = "stages" if issubclass(kind, Stage) else "providers"
    gateway = Gateway(settings_from({"providers": {"echo": {}}, table: {"acme": {}}}), registry=registry)
    with pytest.raises(ConfigError) as caught:
        async with gateway:
            pass
    return str(caught.value)


def named(base: type[Any], attributes: dict[str, Any]) -> type[Any]:  # a stage or a provider, and what is wrong with it
    return type("Acme", (base,), {"name": "acme", **attributes})


@pytest.mark.parametrize(("base", "table"), [(Stage, "stages.acme"), (Provider, "providers.acme")])
@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"open": classmethod(nothing)}, "Acme.open() is no asynchronous context manager, but async_generator"),
        (opens(nothing), "Acme.open() must yield a {base}, got NoneType"),
        (opens(fails), f"Acme.open() failed: KeyError ({__file__}:"),
        ({"__init__": without_configuration}, "Acme.open() failed: TypeError ("),
    ],
)
async def test_a_mistake_in_open_is_told_with_its_table(
    base: type[Stage] | type[Provider],
    table: str,
    attributes: dict[str, Any],  # what is wrong
    message: str,
) -> None:
    said = await refused(named(base, attributes))
    assert said.startswith(f"[{table}]: {message.format(base=base.__name__)}")
    assert SECRET not in said


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"__init__": without_base}, "Acme has no config; expected super().__init__(config) in its __init__"),
        ({"models": lambda _: "acme-1"}, "Acme.models() must return a tuple of strings, got str"),
        ({"models": lambda _: None}, "Acme.models() must return a tuple of strings, got NoneType"),
        ({"models": lambda _: ("acme-1", 2)}, "Acme.models() must return a tuple of strings, got tuple of int, str"),
        ({"models": in_a_while}, "Acme.models() must return a tuple of strings, got coroutine"),
        ({"models": lambda _: 1 // 0}, f"Acme.models() failed: ZeroDivisionError ({__file__}:"),
        ({"performs": lambda _: None}, "Acme.performs() must return a frozenset of strings, got NoneType"),
        ({"operations": "chat"}, "Acme.performs() must return a frozenset of strings, got str"),
    ],
)
async def test_what_a_provider_says_of_itself_is_looked_at(
    attributes: dict[str, Any],  # what is wrong
    message: str,
) -> None:
    assert (await refused(named(Provider, attributes))).startswith(f"[providers.acme]: {message}")


async def test_what_the_world_does_not_give_stays_what_it_is_and_is_told_with_its_table() -> None:
    registry = Registry()
    registry.register(named(Stage, opens(unreachable)))
    gateway = Gateway(settings_from({"providers": {"echo": {}}, "stages": {"acme": {}}}), registry=registry)
    with pytest.raises(ConnectionRefusedError) as caught:
        async with gateway:
            pass
    assert caught.value.__notes__ == ["[stages.acme] was being opened"]


async def test_a_list_of_models_does_as_well() -> None:
    registry = Registry()
    registry.register(named(Provider, {"models": lambda _: ["acme-1"]}))
    async with Gateway(settings_from({"providers": {"acme": {}}}), registry=registry) as gateway:
        assert [model.id for model in gateway.models()] == ["acme-1"]
