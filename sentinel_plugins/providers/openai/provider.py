"""One OpenAI-compatible upstream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Protocol, Self

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.errors import upstream_error
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Operation, Request
from sentinel_core.provider import Health, Provider
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient, HttpTimeouts, Services
from sentinel_core.upstream import Reader, outgoing, refusal_of, reply_of
from sentinel_plugins.providers.openai.config import ConnectionConfig, OpenAIConfig

HEALTH_TIMEOUTS = HttpTimeouts(connect_s=2.0, first_byte_s=3.0, idle_s=3.0, total_s=5.0)
HEALTH_BYTES = 1 << 20

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


class OpenAIProvider(Provider):
    """Sends requests to the path of their operation below `base_url`, under the target's model name: as they are, or
    translated where the client speaks another dialect.

    The gateway's request id goes along as `X-Client-Request-Id`, which OpenAI logs and others ignore, so that a call
    can be found on both sides. Nothing else of the client's request head is forwarded.
    """

    name: ClassVar[str] = "openai"
    Config: ClassVar[type[ConnectionConfig]] = OpenAIConfig
    operations: ClassVar[frozenset[Operation]] = frozenset(ROUTES)

    def __init__(self, config: ConnectionConfig, http: HttpClient) -> None:
        super().__init__(config)
        base = config.root()
        self._urls = {operation: f"{base}/{path}" for operation, (path, _) in ROUTES.items()}
        self._models = f"{base}/models"
        self._headers = self.identity(config)
        self._http = http
        self._limits = config
        self._timeouts = HttpTimeouts(
            connect_s=config.connect_timeout_s,
            first_byte_s=config.first_byte_timeout_s,
            idle_s=config.idle_timeout_s,
            total_s=config.total_timeout_s,
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, config: ConnectionConfig, services: Services) -> AsyncIterator[Self]:
        """The provider with a connection pool of its own, which is closed below the yield."""
        async with services.http.pool(connections=config.max_connections) as http:
            yield cls(config, http)

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        headers = {**self._headers, "Content-Type": "application/json"}
        if call.request_id:
            headers["X-Client-Request-Id"] = call.request_id
        operation = call.request.operation
        dialect = ROUTES[operation][1]
        adaptation = self.adaptation(call)
        adapt = adaptation.request if adaptation is not None else None
        body, dropped = outgoing(call, dialect, self._limits.on_unsupported, adapt)
        response = await self._http.send(
            "POST",
            self.url(operation, call.target.model),
            headers=headers,
            body=body,
            timeouts=self._timeouts,
            deadline=call.deadline,
        )
        try:
            if response.status >= 300:
                raise await refusal_of(response, self.error)
            return await reply_of(response, call.request, dialect, self._limits, dropped=dropped, reader=adaptation)
        except BaseException:
            await response.abort()
            raise

    async def health_check(self) -> Health:
        """List the models, which costs no tokens and proves that the key is valid."""
        started = time.monotonic()
        try:
            response = await self._http.send("GET", self._models, headers=self._headers, timeouts=HEALTH_TIMEOUTS)
            try:
                if response.status >= 300:
                    raise await refusal_of(response, self.error)
                await response.read(HEALTH_BYTES)
            except BaseException:
                await response.abort()
                raise
            await response.release()
        except UpstreamError as error:
            return Health("unhealthy", detail=error.code)
        return Health("healthy", latency_ms=(time.monotonic() - started) * 1000)

    # -- what a compatible host may do otherwise ----------------------------------------------------------------

    def identity(self, config: ConnectionConfig) -> Mapping[str, str]:
        """The headers that say who calls."""
        headers: dict[str, str] = {}
        if config.api_key is not None:
            headers["Authorization"] = f"Bearer {config.api_key.reveal()}"
        if isinstance(config, OpenAIConfig) and config.organization:
            headers["OpenAI-Organization"] = config.organization
        if isinstance(config, OpenAIConfig) and config.project:
            headers["OpenAI-Project"] = config.project
        return headers

    def url(self, operation: Operation, model: str) -> str:
        """Where an operation on a model of the upstream is sent."""
        return self._urls[operation]

    def adaptation(self, call: Call) -> Adaptation | None:
        """What is to be changed in this call and its reply; None where the host does all as OpenAI does."""
        return None

    def error(self, status: int, body: Any, *, retry_after_s: float | None = None) -> UpstreamError:  # decoded JSON
        """What an error response means."""
        return upstream_error(status, body, retry_after_s=retry_after_s)
