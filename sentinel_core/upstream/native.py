"""An API of chats that no client of the gateway speaks: it is written from the canonical form and read into it.

What comes back is OpenAI's chat: an `Answer` of that dialect, and events without frames, except for the chunks that
open a stream or carry an extension (`dialects.openai_chat.canonical`). From there every client's dialect is one
translation away, and OpenAI's own none.
"""

from __future__ import annotations

from typing import Protocol

from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.upstream.reply import Reader


class NativeChat(Protocol):
    """One such wire format, without I/O."""

    def request_body(self, body: JsonMapping, model: str) -> Translated:
        """The canonical request for `model` of this API. Raises `Refusal` for what makes no sense."""
        ...

    def reader(self, model: str) -> Reader:
        """Reads the reply to one call into the canonical form; `model` stands in where the reply names none."""
        ...

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response of this API means."""
        ...
