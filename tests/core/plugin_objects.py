"""Plugins that live in a test, and the words with which they are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket, SocketConnection
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_core.stage import Stage

NO_GATEWAY = cast("Gateway", None)
"""For plugins whose routes ask for none."""


def refused(run: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        run()
    return str(caught.value)


class Alpha(Stage):
    name: ClassVar[str] = "alpha"


class Beta(Stage):
    name: ClassVar[str] = "beta"


class Up(Provider):
    name: ClassVar[str] = "up"


def stage_plugin(*stages: type[Stage]) -> SimpleNamespace:
    @hookimpl
    def sentinel_stages() -> Iterable[type[Stage]]:
        return stages

    return SimpleNamespace(sentinel_stages=sentinel_stages)


async def answer(request: HttpRequest) -> HttpReply:
    return HttpReply({})


async def listen(socket: SocketConnection) -> None:
    return None


def route_plugin(*routes: Endpoint | Socket) -> SimpleNamespace:
    @hookimpl
    def sentinel_endpoints() -> Iterable[Endpoint | Socket]:
        return routes

    return SimpleNamespace(sentinel_endpoints=sentinel_endpoints)
