"""A provider whose upstream speaks HTTP: its pool, its limits, one exchange, and a cheap look at its health."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.sse import SseParser
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.provider import HEALTH_TIMEOUT_S, Health, Provider
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient, HttpTimeouts, Services
from sentinel_core.upstream.config import UpstreamConfig
from sentinel_core.upstream.outgoing import Outgoing
from sentinel_core.upstream.refused import refusal_of
from sentinel_core.upstream.reply import Reader, reply_of
from sentinel_core.upstream.stream import Framing
from sentinel_core.upstream.withheld import Withheld

HEALTH_TIMEOUTS = HttpTimeouts(connect_s=0.75 * HEALTH_TIMEOUT_S)
"""A check finds its pool full before whoever asks gives up; how long it may take is theirs to say."""
HEALTH_BYTES = 1 << 20


class HttpProvider(Provider):
    """What is left to a subclass: its headers and addresses, what it sends, and what an error of its API means."""

    def __init__(self, config: UpstreamConfig, http: HttpClient) -> None:
        super().__init__(config)
        self.settings = config
        self.http = http
        self.headers: Mapping[str, str] = self.identity(config)
        self._posted = {**self.headers, "Content-Type": "application/json"}
        self.health_url = f"{config.root()}/models"
        self._withheld = Withheld(config)
        self._timeouts = HttpTimeouts(
            connect_s=config.connect_timeout_s,
            first_byte_s=config.first_byte_timeout_s,
            idle_s=config.idle_timeout_s,
            total_s=config.total_timeout_s,
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the provider's own Config
        """The provider with a connection pool of its own, which is closed below the yield."""
        async with services.http.pool(connections=config.max_connections) as http:
            yield cls(config, http)

    def identity(self, config: Any) -> Mapping[str, str]:  # as above
        """The headers that say who calls: the key as a bearer token."""
        return {"Authorization": f"Bearer {config.api_key.reveal()}"} if config.api_key is not None else {}

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        raise NotImplementedError(f"{type(self).__name__} does not read errors")

    async def exchange(
        self,
        call: Call,
        url: str,
        out: Outgoing,
        dialect: Dialect,
        *,
        headers: Mapping[str, str],
        reader: Reader | None = None,
        streaming_type: str = "text/event-stream",
        framing: Callable[[int], Framing] = SseParser,
    ) -> Reply:
        """Send one call and read its reply, which comes in `dialect`; see `reply_of`. Raises `UpstreamError`.

        `headers` are this call's own, beside those of `identity`. Reliability rows U01 to U28 say what becomes of each
        fault. No error tells a secret of the table or its address, whatever the upstream said.
        """
        response = await self.http.send(
            "POST",
            url,
            headers={**self._posted, **headers} if headers else self._posted,
            body=out.body,
            timeouts=self._timeouts,
            deadline=call.deadline,
        )
        try:
            if response.status >= 300:
                raise await refusal_of(response, self.error)
            return await reply_of(
                response,
                call.request,
                dialect,
                self.settings,
                dropped=out.dropped,
                streaming_type=streaming_type,
                framing=framing,
                reader=reader,
                withheld=self._withheld,
            )
        except BaseException as exc:  # a cancellation leaves no connection open, either
            if isinstance(exc, UpstreamError):
                self._withheld.strike(exc)
            await response.abort()
            raise

    async def health_check(self) -> Health:
        """Read `health_url`, a list of models by default: it costs no tokens and proves that the key is valid.

        A full pool says nothing about the upstream: calls that go well fill it, too.
        """
        started = time.monotonic()
        try:
            response = await self.http.send("GET", self.health_url, headers=self.headers, timeouts=HEALTH_TIMEOUTS)
            try:
                if response.status >= 300:
                    raise await refusal_of(response, self.error)
                await response.read(HEALTH_BYTES)
            except BaseException:  # as little as a call may a cancelled probe leave one open
                await response.abort()
                raise
            await response.release()
        except UpstreamError as error:
            return Health("unhealthy" if error.attempted else "unknown", detail=error.code)
        return Health("healthy", latency_ms=(time.monotonic() - started) * 1000)
