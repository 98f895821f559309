"""The ledger: what every call used and cost. `[stages.usage]`."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping

from sentinel_core.commands import Command
from sentinel_core.config import ServerSettings
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.services import LEDGER, SERVER, USAGE_SUMS, ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.recording.lost import over_after_s
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.usage import commands, reconcile_command
from sentinel_plugins.usage.config import UsageConfig
from sentinel_plugins.usage.endpoints import Routes
from sentinel_plugins.usage.lost_calls import LostCalls
from sentinel_plugins.usage.retention import forget_old
from sentinel_plugins.usage.spent import Spent
from sentinel_plugins.usage.stage import WITNESS, Usage
from sentinel_plugins.usage.sums import Sums

__all__ = [
    "Usage",
    "UsageConfig",
    "sentinel_commands",
    "sentinel_endpoints",
    "sentinel_jobs",
    "sentinel_services",
    "sentinel_stages",
]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The observer `usage`."""
    return (Usage,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """`ledger`: what budgets begin with that the state store does not know. `usage_sums`: the sums of the ledger, for
    whoever shows them beside something else. `usage_witness`: what a reload must not forget of what runs."""
    return {LEDGER: Spent, USAGE_SUMS: Sums, WITNESS: Witness}


@hookimpl
def sentinel_endpoints(gateway: Gateway) -> Iterable[Endpoint | Socket]:
    """`GET /v1/usage`."""
    return Routes(gateway).all()


@hookimpl
def sentinel_jobs(gateway: Gateway) -> Iterable[Job]:
    """Where intents are written: the rows of calls that were lost. Where rows are not kept for ever: their end."""
    config = gateway.blueprint.chain.table(Usage.name, UsageConfig)
    if config is None:
        return
    if config.guarantee == "required":
        lost_after_s = config.lost_after_s
        yield Job("lost calls", lambda: _lost_calls(gateway, lost_after_s).run())
    if (retention_s := config.retention_s) is not None:
        yield Job("usage retention", lambda: _retention(gateway, retention_s))


@hookimpl
def sentinel_commands() -> Iterable[Command]:
    """`sentinel usage` and `sentinel cost reconcile`."""
    return (*commands.COMMANDS, *reconcile_command.COMMANDS)


def _lost_calls(gateway: Gateway, lost_after_s: float) -> LostCalls:
    services = gateway.services
    over_s = over_after_s(lost_after_s, services.find(SERVER, ServerSettings))
    return LostCalls(gateway.records, services.clock, lost_after_s, over_s, services.find(WITNESS, Witness))


def _retention(gateway: Gateway, retention_s: float) -> Awaitable[None]:
    services = gateway.services
    return forget_old(gateway.records, services.clock, retention_s, services.find(WITNESS, Witness))
