"""One upstream that speaks Anthropic's Messages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES, BETAS
from sentinel_core.dialects.anthropic_messages.errors import upstream_error
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Operation, Request
from sentinel_core.provider import Health, Provider
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient, HttpTimeouts, Services
from sentinel_core.upstream import outgoing, refusal_of, reply_of
from sentinel_plugins.providers.anthropic.config import AnthropicConfig

HEALTH_TIMEOUTS = HttpTimeouts(connect_s=2.0, first_byte_s=3.0, idle_s=3.0, total_s=5.0)
HEALTH_BYTES = 1 << 20


class AnthropicProvider(Provider):
    """Sends requests to `{base_url}/messages`, under the target's model name: as they are, or translated where the
    client speaks another dialect; counts tokens for clients of Messages.

    Of the client's request head only the betas that the configuration allows are forwarded.
    """

    name: ClassVar[str] = "anthropic"
    Config: ClassVar[type[AnthropicConfig]] = AnthropicConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "count_tokens"})

    def __init__(self, config: AnthropicConfig, http: HttpClient) -> None:
        super().__init__(config)
        base = config.base_url.rstrip("/")
        self._messages = f"{base}/messages"
        self._models = f"{base}/models"
        self._headers = {"anthropic-version": config.version}
        if config.api_key is not None:
            self._headers["x-api-key"] = config.api_key.reveal()
        self._http = http
        self._settings = config
        self._timeouts = HttpTimeouts(
            connect_s=config.connect_timeout_s,
            first_byte_s=config.first_byte_timeout_s,
            idle_s=config.idle_timeout_s,
            total_s=config.total_timeout_s,
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, config: AnthropicConfig, services: Services) -> AsyncIterator[Self]:
        """The provider with a connection pool of its own, which is closed below the yield."""
        async with services.http.pool(connections=config.max_connections) as http:
            yield cls(config, http)

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        counts = call.request.operation == "count_tokens"
        dialect = ANTHROPIC_COUNTING if counts else ANTHROPIC_MESSAGES
        betas, refused = self._betas(call.request)
        body, dropped = outgoing(call, dialect, self._settings.on_unsupported, lambda request: (request, refused))
        headers = {**self._headers, "Content-Type": "application/json"}
        if betas:
            headers["anthropic-beta"] = ",".join(betas)
        response = await self._http.send(
            "POST",
            f"{self._messages}/count_tokens" if counts else self._messages,
            headers=headers,
            body=body,
            timeouts=self._timeouts,
            deadline=call.deadline,
        )
        try:
            if response.status >= 300:
                raise await refusal_of(response, upstream_error)
            return await reply_of(response, call.request, dialect, self._settings, dropped=dropped)
        except BaseException:
            await response.abort()
            raise

    def _betas(self, request: Request) -> tuple[list[str], tuple[str, ...]]:
        """The betas to ask for, and a name for the rest, if there is one."""
        asked = request.gateway.get(BETAS, ())
        allowed = [beta for beta in asked if beta in self._settings.betas]
        return allowed, ("anthropic-beta",) if len(allowed) < len(asked) else ()

    async def health_check(self) -> Health:
        """List the models, which costs no tokens and proves that the key is valid."""
        started = time.monotonic()
        try:
            response = await self._http.send("GET", self._models, headers=self._headers, timeouts=HEALTH_TIMEOUTS)
            try:
                if response.status >= 300:
                    raise await refusal_of(response, upstream_error)
                await response.read(HEALTH_BYTES)
            except BaseException:
                await response.abort()
                raise
            await response.release()
        except UpstreamError as error:
            return Health("unhealthy", detail=error.code)
        return Health("healthy", latency_ms=(time.monotonic() - started) * 1000)
