"""One OpenAI-compatible upstream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Event
from sentinel_core.provider import Health, Provider
from sentinel_core.reply import EventStream, Reply
from sentinel_core.services import HttpClient, HttpResponse, HttpTimeouts, Services
from sentinel_plugins.providers.openai.config import OpenAIConfig
from sentinel_plugins.providers.openai.refused import refused
from sentinel_plugins.providers.openai.stream import ChatStream

HEALTH_TIMEOUTS = HttpTimeouts(connect_s=2.0, first_byte_s=3.0, idle_s=3.0, total_s=5.0)
HEALTH_BYTES = 1 << 20


class OpenAIProvider(Provider):
    """Sends chat requests to `{base_url}/chat/completions` as they are, under the target's model name.

    The gateway's request id goes along as `X-Client-Request-Id`, which OpenAI logs and others ignore, so that a call
    can be found on both sides. Nothing else of the client's request head is forwarded.
    """

    name: ClassVar[str] = "openai"
    Config: ClassVar[type[OpenAIConfig]] = OpenAIConfig

    def __init__(self, config: OpenAIConfig, http: HttpClient) -> None:
        super().__init__(config)
        base = config.base_url.rstrip("/")
        self._completions = f"{base}/chat/completions"
        self._models = f"{base}/models"
        self._headers = _identity(config)
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
    async def open(cls, config: OpenAIConfig, services: Services) -> AsyncIterator[Self]:
        """The provider with a connection pool of its own, which is closed below the yield."""
        async with services.http.pool(connections=config.max_connections) as http:
            yield cls(config, http)

    async def call(self, call: Call) -> Reply:
        """Send one chat request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        headers = {**self._headers, "Content-Type": "application/json"}
        if call.request_id:
            headers["X-Client-Request-Id"] = call.request_id
        response = await self._http.send(
            "POST",
            self._completions,
            headers=headers,
            body=OPENAI_CHAT.encode_request(call.request, call.target.model),
            timeouts=self._timeouts,
            deadline=call.deadline,
        )
        try:
            if response.status >= 300:
                raise await refused(response)
            return await self._reply(response, stream=call.request.stream)
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
                    raise await refused(response)
                await response.read(HEALTH_BYTES)
            except BaseException:
                await response.abort()
                raise
            await response.release()
        except UpstreamError as error:
            return Health("unhealthy", detail=error.code)
        return Health("healthy", latency_ms=(time.monotonic() - started) * 1000)

    async def _reply(self, response: HttpResponse, *, stream: bool) -> Reply:
        """What was asked for, whatever the upstream made of `stream` (U15)."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "text/html":  # a captive portal or a CDN's page; never shown (U14)
            raise UpstreamError("upstream_invalid_response", upstream_status=response.status)
        if kind == "text/event-stream" or (stream and "json" not in kind):
            events = ChatStream(response, self._limits.max_event_bytes, self._limits.max_response_bytes)
            if stream:
                await events.open()
                return EventStream(events, events.close)
            answer = OPENAI_CHAT.assemble([event async for event in events])
        else:
            answer = OPENAI_CHAT.decode_answer(await response.read(self._limits.max_response_bytes))
        await response.release()
        return EventStream(_each(OPENAI_CHAT.stream_frames(answer))) if stream else answer


async def _each(events: Sequence[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


def _identity(config: OpenAIConfig) -> Mapping[str, str]:
    """The headers that say who calls."""
    headers: dict[str, str] = {}
    if config.api_key is not None:
        headers["Authorization"] = f"Bearer {config.api_key.reveal()}"
    if config.organization:
        headers["OpenAI-Organization"] = config.organization
    if config.project:
        headers["OpenAI-Project"] = config.project
    return headers
