"""Sends a slow call a second time and takes the reply that begins first. Enabled by `[stages.hedge]`."""

from collections.abc import Iterable, Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.hedge.credit import CREDIT, Credit
from sentinel_plugins.hedge.stage import Hedge


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `hedge` stage."""
    return (Hedge,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """What the process may still spend on second calls: a reload must not hand it out anew."""
    return {CREDIT: Credit}
