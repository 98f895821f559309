"""One OpenAI-compatible upstream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.errors import upstream_error
from sentinel_core.dialects.openai_chat.extensions import without_extensions
from sentinel_core.dialects.openai_chat.short_ids import with_short_ids
from sentinel_core.dialects.openai_chat.thoughts import without_thoughts
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.openai_responses.extensions import without_extensions as without_foreign_items
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Operation, Request
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient
from sentinel_core.upstream import Adapt, HttpProvider, Reader, UpstreamConfig, outgoing
from sentinel_plugins.providers.openai.config import OpenAIConfig
from sentinel_plugins.providers.openai.model_rules import within_model_rules

ROUTES: Mapping[Operation, tuple[str, Dialect]] = {
    "chat": ("chat/completions", OPENAI_CHAT),
    "completion": ("completions", OPENAI_COMPLETIONS),
    "embedding": ("embeddings", OPENAI_EMBEDDINGS),
    "response": ("responses", OPENAI_RESPONSES),
}
"""What each operation's path below the base URL is, and the dialect spoken there."""


class Adaptation(Reader, Protocol):
    """What one host does otherwise, for the length of one call: its request, then its reply."""

    def request(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """The request as the host takes it, and the names of what it had to leave out."""
        ...


class OpenAIProvider(HttpProvider):
    """Sends requests to the path of their operation below `base_url`, under the target's model name: as they are, or
    translated where the client speaks another dialect.

    The gateway's request id goes along as `X-Client-Request-Id`, which OpenAI logs and others ignore, so that a call
    can be found on both sides. Nothing else of the client's request head is forwarded.
    """

    name: ClassVar[str] = "openai"
    Config: ClassVar[type[UpstreamConfig]] = OpenAIConfig
    operations: ClassVar[frozenset[Operation]] = frozenset(ROUTES)

    def __init__(self, config: UpstreamConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        lacks_responses = isinstance(config, OpenAIConfig) and not config.responses
        self._performed = self.operations - {"response"} if lacks_responses else self.operations
        self._adapts = _adapts(config)
        self._adapts_translated = _adapts(config, translated=True)
        self._urls = {operation: f"{config.root()}/{path}" for operation, (path, _) in ROUTES.items()}

    def performs(self) -> frozenset[Operation]:
        """All of them, but for what the table says that the server lacks."""
        return self._performed

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        operation = call.request.operation
        dialect = ROUTES[operation][1]
        adaptation = self.adaptation(call)
        adapts = self._adapts if call.request.dialect is dialect else self._adapts_translated
        adapt = adaptation.request if adaptation is not None else adapts.get(operation)
        return await self.exchange(
            call,
            self.url(operation, call.target.model),
            outgoing(call, dialect, self.settings.on_unsupported, adapt),
            dialect,
            headers={"X-Client-Request-Id": call.request_id} if call.request_id else {},
            reader=adaptation,
        )

    def identity(self, config: UpstreamConfig) -> Mapping[str, str]:
        """The key, and which of its organizations and projects pays."""
        headers = dict(super().identity(config))
        if isinstance(config, OpenAIConfig) and config.organization:
            headers["OpenAI-Organization"] = config.organization
        if isinstance(config, OpenAIConfig) and config.project:
            headers["OpenAI-Project"] = config.project
        return headers

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return upstream_error(status, body, retry_after_s=retry_after_s)

    # -- what a compatible host may do otherwise ----------------------------------------------------------------

    def url(self, operation: Operation, model: str) -> str:
        """Where an operation on a model of the upstream is sent."""
        return self._urls[operation]

    def adaptation(self, call: Call) -> Adaptation | None:
        """What is to be changed in this call and its reply; None where the host does all as OpenAI does."""
        return None


def _is_openai(root: str) -> bool:
    """Whether this is OpenAI itself, in any region. Another server may have models of other vendors, and be sent what
    only one of them understands."""
    host = urlsplit(root).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def _adapts(config: UpstreamConfig, *, translated: bool = False) -> Mapping[Operation, Adapt]:
    """What becomes of each operation's request, or of one that was `translated` from another format. A host has rules
    of its own for chats (`adaptation`); a server that is neither is sent everything as it came."""
    if _is_openai(config.root()):
        chat = _translated_chat if translated else _plain_chat
        return {"chat": chat, "response": partial(_plain_response, plain_thoughts=False)}
    if isinstance(config, OpenAIConfig):
        return {}
    return {"response": partial(_plain_response, plain_thoughts=True)}


def _plain_chat(request: Request) -> tuple[Request, tuple[str, ...]]:
    """A chat request without what other vendors' answers left in it."""
    body, names = without_extensions(without_thoughts(request.body))
    return msgspec.structs.replace(request, body=with_short_ids(body)), tuple(names)


def _translated_chat(request: Request) -> tuple[Request, tuple[str, ...]]:
    """The same of a request that another format was translated to, without what OpenAI's model refuses."""
    body, names = within_model_rules(request.body)
    plain, more = _plain_chat(msgspec.structs.replace(request, body=body))
    return plain, (*names, *more)


def _plain_response(request: Request, *, plain_thoughts: bool) -> tuple[Request, tuple[str, ...]]:
    """The same of a Responses request."""
    body, names = without_foreign_items(request.body, plain_thoughts=plain_thoughts)
    return msgspec.structs.replace(request, body=body), tuple(names)
