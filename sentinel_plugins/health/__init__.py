"""Self-healing and its evidence: a monitor, incidents, metrics and live events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.endpoints import Routes
from sentinel_plugins.health.monitor import Monitor
from sentinel_plugins.health.observations import OBSERVATIONS, Observations
from sentinel_plugins.health.stage import Health

__all__ = [
    "Health",
    "HealthConfig",
    "sentinel_endpoints",
    "sentinel_jobs",
    "sentinel_services",
    "sentinel_stages",
]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The observer `health`."""
    return (Health,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """What stage, monitor and endpoints share."""
    return {OBSERVATIONS: Observations}


@hookimpl
def sentinel_endpoints(gateway: Gateway) -> Iterable[Endpoint | Socket]:
    """The routes under `/api` that show it, and the socket, where the table is."""
    config = gateway.blueprint.chain.table(Health.name, HealthConfig)
    return Routes(gateway, config).all() if config is not None else ()


@hookimpl
def sentinel_jobs(gateway: Gateway) -> Iterable[Job]:
    """The monitor, where the table is."""
    config = gateway.blueprint.chain.table(Health.name, HealthConfig)
    return (Job("health", Monitor(gateway, config).run),) if config is not None else ()
