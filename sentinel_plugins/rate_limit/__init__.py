"""The one admission stage: requests, tokens, concurrency and money, taken in one step. `[stages.rate_limit]`."""

from collections.abc import Iterable, Mapping

from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.owed import OWED, Owed
from sentinel_plugins.rate_limit.stage import RateLimit


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `rate_limit` stage."""
    return (RateLimit,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """What the state store could not be told yet: a reload must not forget it."""
    return {OWED: Owed}


@hookimpl
def sentinel_jobs(gateway: Gateway) -> Iterable[Job]:
    """Telling the state store what it could not be told."""
    if gateway.blueprint.chain.table(RateLimit.name, RateLimitConfig) is not None:
        yield Job("owed settlements", lambda: _tell_owed(gateway))


async def _tell_owed(gateway: Gateway) -> None:
    services = gateway.services
    await services.find(OWED, Owed).run(services.state, services.clock)
