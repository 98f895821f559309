"""One upstream that speaks Cohere's chat."""

from __future__ import annotations

from typing import ClassVar

from sentinel_core.context import Call
from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Operation
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient
from sentinel_core.upstream import HttpProvider, outgoing_native
from sentinel_plugins.providers.cohere.config import CohereConfig


class CohereProvider(HttpProvider):
    """Sends requests to `{base_url}/v2/chat`, under the target's model name, translated from the client's dialect, and
    gives back what comes in that dialect. Of the client's request head nothing is forwarded.
    """

    name: ClassVar[str] = "cohere"
    Config: ClassVar[type[CohereConfig]] = CohereConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat"})

    def __init__(self, config: CohereConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        self._chat = f"{config.root()}/v2/chat"
        self.health_url = f"{config.root()}/v1/models?page_size=1"

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        return await self.exchange(
            call,
            self._chat,
            outgoing_native(call, COHERE_CHAT, self.settings.on_unsupported),
            OPENAI_CHAT,
            headers={},
            reader=COHERE_CHAT.reader(call.target.model),
        )

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return COHERE_CHAT.error(status, body, retry_after_s=retry_after_s)
