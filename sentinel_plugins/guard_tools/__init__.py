"""`sentinel scan`, `sentinel guard eval`, `POST /v1/guard`: what guards would do with your texts.

No provider is called. `[stages.guard_api]` is for the route.
"""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.commands import Command
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_plugins.guard_tools.commands import COMMANDS
from sentinel_plugins.guard_tools.config import GuardApiConfig
from sentinel_plugins.guard_tools.endpoint import Routes
from sentinel_plugins.guard_tools.stage import GuardApi


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The stage `guard_api`."""
    return (GuardApi,)


@hookimpl
def sentinel_endpoints(gateway: Gateway) -> Iterable[Endpoint | Socket]:
    """`POST /v1/guard`, where its table is."""
    config = gateway.blueprint.chain.table(GuardApi.name, GuardApiConfig)
    return Routes(gateway, config).all() if config is not None else ()


@hookimpl
def sentinel_commands() -> Iterable[Command]:
    """Commands for every configuration with a guard."""
    return COMMANDS
