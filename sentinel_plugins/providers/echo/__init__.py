"""A provider that needs no network and no key: it answers with what it was told."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.echo.provider import EchoProvider


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `echo` kind."""
    return (EchoProvider,)
