"""Hosts that speak OpenAI's format with an accent: Groq, Mistral, DeepSeek, xAI, Together, Llama, OpenRouter, Azure,
Vercel.

`host` says which rules there are, `hosts` which host has which; `request`, `messages`, `reply` and `errors` apply
them.
"""

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider
from sentinel_plugins.providers.openai.hosts.provider import (
    Azure,
    DeepSeek,
    Groq,
    Llama,
    Mistral,
    OpenRouter,
    Together,
    Vercel,
    Xai,
)


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """One kind for each host."""
    return (Groq, Mistral, DeepSeek, Xai, Together, Llama, OpenRouter, Azure, Vercel)
