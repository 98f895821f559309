"""Stops calling a target that fails, and finds out when it is well again. Enabled by `[stages.breaker]`."""

from collections.abc import Iterable, Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.breaker.circuits import OWN_CIRCUITS, Circuits
from sentinel_plugins.breaker.stage import Breaker


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `breaker` stage."""
    return (Breaker,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """The circuits of the process: a reload must not forget which targets are failing."""
    return {OWN_CIRCUITS: Circuits}
