"""One compatible host: OpenAI's client with the host's rules around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Operation, Request
from sentinel_core.services import HttpClient
from sentinel_core.upstream import UpstreamConfig
from sentinel_plugins.providers.openai.hosts import hosts
from sentinel_plugins.providers.openai.hosts.config import (
    AzureConfig,
    DeepSeekConfig,
    GroqConfig,
    LlamaConfig,
    MistralConfig,
    OpenRouterConfig,
    TogetherConfig,
    VercelConfig,
    XaiConfig,
)
from sentinel_plugins.providers.openai.hosts.errors import as_openai
from sentinel_plugins.providers.openai.hosts.host import Host, RequestRules
from sentinel_plugins.providers.openai.hosts.reply import HostReader
from sentinel_plugins.providers.openai.hosts.request import Adapted
from sentinel_plugins.providers.openai.provider import ROUTES, Adaptation, OpenAIProvider

USUAL: frozenset[Operation] = frozenset({"chat", "completion", "embedding"})


class HostProvider(OpenAIProvider):
    """Sends requests as its `host` takes them, and gives back what that says in OpenAI's words.

    Parameters that the host is known to refuse are left out and named in `x-sentinel-dropped-params`, or refused, as
    `on_unsupported` says. A host without a rule for something is sent it as it came.
    """

    host: ClassVar[Host]
    operations: ClassVar[frozenset[Operation]] = USUAL

    def identity(self, config: UpstreamConfig) -> Mapping[str, str]:
        """The key in the form that the host wants."""
        if config.api_key is None:
            return {}
        return {self.host.auth_header: f"{self.host.auth_scheme}{config.api_key.reveal()}"}

    def adaptation(self, call: Call) -> Adaptation | None:
        """The host's rules for one call; they are about chats."""
        if call.request.operation != "chat":
            return None
        translated = call.request.dialect is not OPENAI_CHAT
        return HostAdaptation(self.host, call.target.model, translated=translated)

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What the host's error response means."""
        return super().error(*as_openai(self.host.errors, status, body), retry_after_s=retry_after_s)


class HostAdaptation(HostReader):
    """One call: its request is adapted first, since its reply may need to know how."""

    __slots__ = ("_model", "_request_rules", "_translated")

    def __init__(self, host: Host, model: str, *, translated: bool) -> None:
        super().__init__(host.reply)
        self._request_rules: RequestRules = host.request
        self._model = model
        self._translated = translated

    def request(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """The request as the host takes it, and the names of what it refuses."""
        adapted = Adapted(self._request_rules, request.body, self._model, translated=self._translated)
        self._tool_ids = adapted.tool_ids
        # A host that counts without being asked must not be asked: `include_usage` says that the body does so already.
        include = request.include_usage or "stream_options" in self._request_rules.unneeded
        return msgspec.structs.replace(request, body=adapted.body, include_usage=include), tuple(adapted.left_out)


class Groq(HostProvider):
    """https://console.groq.com."""

    name: ClassVar[str] = "groq"
    Config: ClassVar[type[UpstreamConfig]] = GroqConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "response"})
    host: ClassVar[Host] = hosts.GROQ


class Mistral(HostProvider):
    """https://console.mistral.ai."""

    name: ClassVar[str] = "mistral"
    Config: ClassVar[type[UpstreamConfig]] = MistralConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "embedding"})
    host: ClassVar[Host] = hosts.MISTRAL


class DeepSeek(HostProvider):
    """https://platform.deepseek.com."""

    name: ClassVar[str] = "deepseek"
    Config: ClassVar[type[UpstreamConfig]] = DeepSeekConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat"})
    host: ClassVar[Host] = hosts.DEEPSEEK


class Xai(HostProvider):
    """https://console.x.ai."""

    name: ClassVar[str] = "xai"
    Config: ClassVar[type[UpstreamConfig]] = XaiConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "response"})
    host: ClassVar[Host] = hosts.XAI


class Together(HostProvider):
    """https://api.together.ai."""

    name: ClassVar[str] = "together"
    Config: ClassVar[type[UpstreamConfig]] = TogetherConfig
    operations: ClassVar[frozenset[Operation]] = USUAL | {"response"}
    host: ClassVar[Host] = hosts.TOGETHER


class Llama(HostProvider):
    """https://llama.developer.meta.com, or another host of Llama models."""

    name: ClassVar[str] = "llama"
    Config: ClassVar[type[UpstreamConfig]] = LlamaConfig
    host: ClassVar[Host] = hosts.LLAMA


class OpenRouter(HostProvider):
    """https://openrouter.ai."""

    name: ClassVar[str] = "openrouter"
    Config: ClassVar[type[UpstreamConfig]] = OpenRouterConfig
    host: ClassVar[Host] = hosts.OPENROUTER

    def identity(self, config: UpstreamConfig) -> Mapping[str, str]:
        """The key, and which application calls."""
        headers = dict(super().identity(config))
        if isinstance(config, OpenRouterConfig) and config.referer:
            headers["HTTP-Referer"] = config.referer
        if isinstance(config, OpenRouterConfig) and config.title:
            headers["X-Title"] = config.title
        return headers


class Vercel(HostProvider):
    """https://vercel.com/ai-gateway."""

    name: ClassVar[str] = "vercel"
    Config: ClassVar[type[UpstreamConfig]] = VercelConfig
    operations: ClassVar[frozenset[Operation]] = USUAL | {"response"}
    host: ClassVar[Host] = hosts.VERCEL


class Azure(HostProvider):
    """Azure OpenAI: the `v1` API, or the address of each deployment where `api_version` is set."""

    name: ClassVar[str] = "azure"
    Config: ClassVar[type[UpstreamConfig]] = AzureConfig
    host: ClassVar[Host] = hosts.AZURE

    def __init__(self, config: AzureConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        self._address = f"{config.address()}/openai"
        self._version = config.api_version
        if config.api_version is not None:
            self.health_url = f"{self._address}/models?api-version={config.api_version}"

    def url(self, operation: Operation, model: str) -> str:
        """The older form has the deployment in the path; its name is a caller's word and is escaped (H33)."""
        if self._version is None:
            return super().url(operation, model)
        deployment = quote(model, safe="")
        return f"{self._address}/deployments/{deployment}/{ROUTES[operation][0]}?api-version={self._version}"
