"""Decides which target is called, and which one next if that fails. Enabled by `[stages.routing]`."""

from collections.abc import Iterable, Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.routing.rests import RESTS, Rests
from sentinel_plugins.routing.stage import Routing


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `routing` stage."""
    return (Routing,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """Which targets asked to be left alone: a reload must not forget it."""
    return {RESTS: Rests}
