"""Cohere's chat: `POST /v2/chat`.

Source: https://docs.cohere.com/reference/chat, and the types of cohere-ai/cohere-python 7.3.1. No client of the gateway
speaks it: requests are written from OpenAI's chat, answers and streams are read into it
(docs/explanation/translation.md).
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects.cohere_chat import errors, from_canonical
from sentinel_core.dialects.cohere_chat.answer import CohereReader
from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonValue

__all__ = ["COHERE_CHAT", "CohereChat"]


class CohereChat:
    """The wire format. Stateless: one instance, `COHERE_CHAT`, serves every call."""

    def request_body(self, body: JsonMapping, model: str) -> Translated:
        """The canonical request for `model`. Raises `Refusal` for what makes no sense."""
        return from_canonical.request_body(body, model)

    def reader(self, model: str) -> CohereReader:
        """Reads the reply to one call; `model` stands in where the reply names none, which is always."""
        return CohereReader(model)

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return errors.upstream_error(status, body, retry_after_s=retry_after_s)


COHERE_CHAT: Final = CohereChat()
