"""Who may ask: keys, tokens, tenants. Enabled by `[stages.auth]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sentinel_core.commands import Command
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.auth.admin import key_commands, tenant_commands
from sentinel_plugins.auth.admin.key_routes import KeyRoutes
from sentinel_plugins.auth.admin.tenant_routes import TenantRoutes
from sentinel_plugins.auth.config import AuthConfig
from sentinel_plugins.auth.memory import MEMORY, Memory
from sentinel_plugins.auth.revocation import Listener, auth_of
from sentinel_plugins.auth.stage import Auth

__all__ = [
    "Auth",
    "AuthConfig",
    "sentinel_commands",
    "sentinel_endpoints",
    "sentinel_jobs",
    "sentinel_services",
    "sentinel_stages",
]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The stage `auth`."""
    return (Auth,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """What this process knows of callers: a reload must not forget it."""
    return {MEMORY: Memory}


@hookimpl
def sentinel_endpoints(gateway: Gateway) -> Iterable[Endpoint | Socket]:
    """The routes for keys and tenants, where such are made at run time."""
    config = _config(gateway)
    if config is None or config.pepper is None:
        return ()
    return (*KeyRoutes(gateway).all(), *TenantRoutes(gateway).all())


@hookimpl
def sentinel_jobs(gateway: Gateway) -> Iterable[Job]:
    """Hearing of changed keys, and telling Zion what was used."""
    config = _config(gateway)
    if config is not None and config.pepper is not None:
        yield Job("auth keys", Listener(gateway).run)
    if config is not None and config.zion is not None:
        yield Job("zion usage", lambda: _tell_zion(gateway))


@hookimpl
def sentinel_commands() -> Iterable[Command]:
    """`sentinel keys …` and `sentinel tenants …`."""
    return (*key_commands.COMMANDS, *tenant_commands.COMMANDS)


async def _tell_zion(gateway: Gateway) -> None:
    meter = auth_of(gateway).meter
    if meter is not None:
        await meter.outbox.run()


def _config(gateway: Gateway) -> AuthConfig | None:
    """The table `[stages.auth]`, where it is this module's."""
    return gateway.blueprint.chain.table(Auth.name, AuthConfig)
