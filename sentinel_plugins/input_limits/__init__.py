"""Keeps requests within what a request may be: messages, characters, tools, and what it may ask for. Enabled by
`[stages.input_limits]`."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_plugins.input_limits.stage import InputLimits


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The `input_limits` stage."""
    return (InputLimits,)
