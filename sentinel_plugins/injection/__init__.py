"""Looks for attempts to take over the model in what a request carries. Enabled by `[stages.injection]`."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_plugins.injection.stage import Injection


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `injection` stage."""
    return (Injection,)
