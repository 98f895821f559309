"""`[providers.<name>]` of the compatible hosts: what OpenAI's has, and the host's own address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel_core.config import HttpUrl, Seconds
from sentinel_core.upstream import BaseUrlConfig, UpstreamConfig, header_problems, url_problems

_RESOURCE = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


class GroqConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Groq. Takes no log probabilities, no `n` above 1 and no `name` in messages."""

    base_url: HttpUrl = "https://api.groq.com/openai/v1"
    """The part of the URL before `/chat/completions`."""


class MistralConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Mistral. `seed` and `max_completion_tokens` get its own names, ids of tool calls its own form."""

    base_url: HttpUrl = "https://api.mistral.ai/v1"
    """The part of the URL before `/chat/completions`."""


class DeepSeekConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """DeepSeek. A busy host keeps the connection open with comments for minutes; they do not put off the deadline."""

    base_url: HttpUrl = "https://api.deepseek.com"
    """The part of the URL before `/chat/completions`."""


class XaiConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """xAI. Its reasoning models think for minutes before they speak, hence the longer waits."""

    base_url: HttpUrl = "https://api.x.ai/v1"
    """The part of the URL before `/chat/completions`."""
    first_byte_timeout_s: Seconds = 900.0
    """From the connection to the first byte of the answer's body."""
    total_timeout_s: Seconds = 900.0
    """The whole call, to its last byte. Raise `request_timeout_s` of `[server]` with it: that ends every request."""


class TogetherConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Together. Model ids look like `meta-llama/Llama-3.3-70B-Instruct-Turbo`."""

    base_url: HttpUrl = "https://api.together.ai/v1"
    """The part of the URL before `/chat/completions`."""


class LlamaConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Meta's Llama API, or any other host of Llama models that speaks OpenAI's format."""

    base_url: HttpUrl = "https://api.llama.com/compat/v1"
    """The part of the URL before `/chat/completions`. Set it for another host of Llama models."""


class OpenRouterConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """OpenRouter. `referer` and `title` tell it which application calls."""

    base_url: HttpUrl = "https://openrouter.ai/api/v1"
    """The part of the URL before `/chat/completions`."""
    referer: str | None = None
    """Sent as `HTTP-Referer`: the address of your application, for OpenRouter's rankings."""
    title: str | None = None
    """Sent as `X-Title`: the name of your application, for OpenRouter's rankings."""

    def problems(self) -> Iterator[str]:
        """Those of what is sent in headers as well."""
        yield from BaseUrlConfig.problems(self)
        yield from header_problems("referer", self.referer or "")
        yield from header_problems("title", self.title or "")


class VercelConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Vercel's AI Gateway. Model ids look like `openai/gpt-5.6-sol`."""

    base_url: HttpUrl = "https://ai-gateway.vercel.sh/v1"
    """The part of the URL before `/chat/completions`."""


class AzureConfig(UpstreamConfig, frozen=True, kw_only=True):
    """Azure OpenAI. Needs `resource` or `endpoint`; a model is the name of a deployment."""

    resource: str | None = None
    """The resource's name, the first part of `https://<resource>.openai.azure.com`: lower-case letters, digits, `-`."""
    endpoint: HttpUrl | None = None
    """The resource's whole address, where it has a domain of its own. Instead of `resource`."""
    api_version: str | None = None
    """Such as `2024-10-21`: calls the older address of each deployment. Leave it out for the `v1` API."""

    def problems(self) -> Iterator[str]:
        """Those of the address and of the API's version as well."""
        yield from UpstreamConfig.problems(self)
        if (self.resource is None) == (self.endpoint is None):
            yield "needs exactly one of resource and endpoint"
        # H33: a name such as `evil.example/#` would send the key to another host.
        if self.resource is not None and not _RESOURCE.fullmatch(self.resource):
            yield "resource: must be lower-case letters, digits and - only, as in Azure's portal"
        if self.endpoint is not None:
            yield from url_problems("endpoint", self.endpoint)
        if self.api_version is not None and not _VERSION.fullmatch(self.api_version):
            yield "api_version: must be a date such as 2024-10-21, or 2024-10-01-preview"

    def address(self) -> str:
        """The resource's address without a slash at its end."""
        return (self.endpoint or f"https://{self.resource}.openai.azure.com").rstrip("/")

    def root(self) -> str:
        """The `v1` API."""
        return f"{self.address()}/openai/v1"
