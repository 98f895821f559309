"""One upstream that speaks Google's Gemini API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

from sentinel_core.context import Call
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI, GeminiFraming
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Operation
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient
from sentinel_core.upstream import HttpProvider, outgoing_native
from sentinel_plugins.providers.gemini.config import GeminiConfig

_COLLECTIONS = ("models/", "tunedModels/")
"""What a model's full name may begin with. A bare one is of the first."""


class GeminiProvider(HttpProvider):
    """Sends chats to `{base_url}/models/{model}:generateContent`, or `:streamGenerateContent?alt=sse` for streams,
    translated from the client's dialect. Of the client's request head nothing is forwarded.
    """

    name: ClassVar[str] = "gemini"
    Config: ClassVar[type[GeminiConfig]] = GeminiConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat"})

    def __init__(self, config: GeminiConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        self._root = config.root()
        self.health_url = f"{self._root}/models?pageSize=1"

    async def call(self, call: Call) -> Reply:
        """Send one request. See `Provider.call`; reliability rows U01 to U28 say what becomes of each fault."""
        model = call.target.model
        return await self.exchange(
            call,
            self.url(model, stream=call.request.stream),
            outgoing_native(call, GOOGLE_GEMINI, self.settings.on_unsupported),
            OPENAI_CHAT,
            headers={},
            reader=GOOGLE_GEMINI.reader(model),
            framing=GeminiFraming,
        )

    def url(self, model: str, *, stream: bool) -> str:
        """Where a chat with this model is sent. The name is a caller's word and is escaped (H33)."""
        collection = next((one for one in _COLLECTIONS if model.startswith(one)), "")
        name = quote(model.removeprefix(collection), safe="")
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"{self._root}/{collection or _COLLECTIONS[0]}{name}:{method}"

    def identity(self, config: GeminiConfig) -> Mapping[str, str]:
        """The key in a header, never in the address, which ends up in logs."""
        return {"x-goog-api-key": config.api_key.reveal()} if config.api_key is not None else {}

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return GOOGLE_GEMINI.error(status, body, retry_after_s=retry_after_s)
