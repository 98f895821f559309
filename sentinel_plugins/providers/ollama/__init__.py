"""Ollama's own API, for models on a machine of one's own."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.ollama.provider import OllamaProvider


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `ollama` kind."""
    return (OllamaProvider,)
