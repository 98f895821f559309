"""The audit: one record for every request, sealed. `[stages.audit]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sentinel_core.commands import Command
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.audit.commands import COMMANDS, table_of
from sentinel_plugins.audit.config import AuditConfig
from sentinel_plugins.audit.endpoints import Routes
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.audit.stage import WITNESS, Audit, checkpoints_of
from sentinel_plugins.recording.witness import Witness

__all__ = [
    "Audit",
    "AuditConfig",
    "sentinel_commands",
    "sentinel_endpoints",
    "sentinel_jobs",
    "sentinel_services",
    "sentinel_stages",
]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The observer `audit`."""
    return (Audit,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """What a reload must not forget of what runs, and of the clock."""
    return {WITNESS: Witness}


@hookimpl
def sentinel_endpoints(gateway: Gateway) -> Iterable[Endpoint | Socket]:
    """`GET /v1/audit` and `GET /v1/audit/{request_id}`."""
    return Routes(gateway).all()


@hookimpl
def sentinel_jobs(gateway: Gateway) -> Iterable[Job]:
    """Deleting what is old."""
    config = table_of(gateway)
    if config is not None:
        yield Job("audit retention", lambda: _retention(gateway, config).run())


@hookimpl
def sentinel_commands() -> Iterable[Command]:
    """`sentinel audit verify`."""
    return COMMANDS


def _retention(gateway: Gateway, config: AuditConfig) -> Retention:
    services = gateway.services
    witness = services.find(WITNESS, Witness)
    return Retention(gateway.records, services.clock, config.retention_s, checkpoints_of(config, services), witness)
