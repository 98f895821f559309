"""Cohere's chat API, version 2."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.cohere.provider import CohereProvider


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `cohere` kind."""
    return (CohereProvider,)
