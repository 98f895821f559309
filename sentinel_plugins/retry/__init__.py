"""Tries a call again at the same target. Enabled by `[stages.retry]`."""

from collections.abc import Iterable, Mapping

from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_plugins.retry.budget import BUDGET, RetryBudget
from sentinel_plugins.retry.stage import Retry


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `retry` stage."""
    return (Retry,)


@hookimpl
def sentinel_services() -> Mapping[str, ServiceFactory]:
    """The budget of the process: a reload must not hand it out anew."""
    return {BUDGET: RetryBudget}
