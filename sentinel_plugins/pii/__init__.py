"""Takes personal data out of requests and replies. Enabled by `[stages.pii]`."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_plugins.pii.stage import Pii


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `pii` stage."""
    return (Pii,)
