"""Anthropic's Messages API, and servers that speak it."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.anthropic.provider import AnthropicProvider


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `anthropic` kind."""
    return (AnthropicProvider,)
