"""One server that speaks Ollama's own API."""

from __future__ import annotations

from typing import ClassVar

from sentinel_core.context import Call
from sentinel_core.dialects.ndjson import NdjsonParser
from sentinel_core.dialects.ollama_chat import OllamaChat
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient
from sentinel_core.upstream import HttpProvider, outgoing_native
from sentinel_plugins.providers.ollama.config import OllamaConfig


class OllamaProvider(HttpProvider):
    """Sends chats of every dialect to `{base_url}/api/chat`, translated, under the target's model name.

    Its health is `GET {base_url}/api/version`: that the server answers. Nothing of the client's request head is
    forwarded.
    """

    name: ClassVar[str] = "ollama"
    Config: ClassVar[type[OllamaConfig]] = OllamaConfig
    free = True

    def __init__(self, config: OllamaConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        self.health_url = f"{config.root()}/api/version"
        self._url = f"{config.root()}/api/chat"
        self._api = OllamaChat(
            num_ctx=config.num_ctx, keep_alive_s=config.keep_alive_s, truncate=config.truncate, think=config.think
        )

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        return await self.exchange(
            call,
            self._url,
            outgoing_native(call, self._api, self.settings.on_unsupported),
            OPENAI_CHAT,
            headers={},
            reader=self._api.reader(call.target.model),
            streaming_type="application/x-ndjson",
            framing=NdjsonParser,
        )

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return self._api.error(status, body, retry_after_s=retry_after_s)
