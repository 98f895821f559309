"""Takes keys, tokens and passwords out of requests and replies. Enabled by `[stages.secrets]`."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_plugins.secrets.stage import Secrets


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `secrets` stage."""
    return (Secrets,)
