"""Google's Gemini API, and servers that speak it."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.gemini.provider import GeminiProvider


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `gemini` kind."""
    return (GeminiProvider,)
