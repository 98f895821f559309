"""One upstream that speaks Anthropic's Messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES, BETAS
from sentinel_core.dialects.anthropic_messages.calls import with_taken_ids
from sentinel_core.dialects.anthropic_messages.errors import upstream_error
from sentinel_core.dialects.anthropic_messages.thinking import without_unsigned
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Operation, Request
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient
from sentinel_core.upstream import HttpProvider, outgoing
from sentinel_plugins.providers.anthropic.config import AnthropicConfig


class AnthropicProvider(HttpProvider):
    """Sends requests to `{base_url}/messages`, under the target's model name: as they are, or translated where the
    client speaks another dialect; counts tokens for clients of Messages.

    Of the client's request head only the betas that the configuration allows are forwarded.
    """

    name: ClassVar[str] = "anthropic"
    Config: ClassVar[type[AnthropicConfig]] = AnthropicConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "count_tokens"})

    def __init__(self, config: AnthropicConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        self._messages = f"{config.root()}/messages"
        self._allowed = frozenset(config.betas)

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        counts = call.request.operation == "count_tokens"
        dialect = ANTHROPIC_COUNTING if counts else ANTHROPIC_MESSAGES
        betas, refused = self._betas(call.request)
        return await self.exchange(
            call,
            f"{self._messages}/count_tokens" if counts else self._messages,
            outgoing(call, dialect, self.settings.on_unsupported, lambda request: _signed(request, refused)),
            dialect,
            headers={"anthropic-beta": ",".join(betas)} if betas else {},
        )

    def identity(self, config: AnthropicConfig) -> Mapping[str, str]:
        """The key in a header of its own, and the version of the API."""
        headers = {"anthropic-version": config.version}
        if config.api_key is not None:
            headers["x-api-key"] = config.api_key.reveal()
        return headers

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return upstream_error(status, body, retry_after_s=retry_after_s)

    def _betas(self, request: Request) -> tuple[list[str], tuple[str, ...]]:
        """The betas to ask for, and a name for the rest, if there is one."""
        asked = request.gateway.get(BETAS, ())
        allowed = [beta for beta in asked if beta in self._allowed]
        return allowed, ("anthropic-beta",) if len(allowed) < len(asked) else ()


def _signed(request: Request, refused: tuple[str, ...]) -> tuple[Request, tuple[str, ...]]:
    """The request without the thoughts of other vendors' models and without their form of ids, and the names of all
    that is left out."""
    body, names = without_unsigned(request.body)
    return msgspec.structs.replace(request, body=with_taken_ids(body)), refused + names
