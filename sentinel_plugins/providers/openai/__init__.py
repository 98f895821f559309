"""Any upstream that speaks OpenAI's chat completions: OpenAI itself, and the many compatible servers."""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.openai.provider import OpenAIProvider


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `openai` kind."""
    return (OpenAIProvider,)
