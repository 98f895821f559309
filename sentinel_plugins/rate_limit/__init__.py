"""The one admission stage: requests, tokens, concurrency and money, taken in one step. `[stages.rate_limit]`."""

from collections.abc import Iterable, Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.rate_limit.owed import Owed
from sentinel_plugins.rate_limit.stage import RateLimit


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `rate_limit` stage."""
    return (RateLimit,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """What the state store could not be told yet: a reload must not forget it."""
    return {"owed_settlements": Owed}
