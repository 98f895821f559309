"""Google's Gemini API: `models/{model}:generateContent` and `:streamGenerateContent?alt=sse`.

Source: https://ai.google.dev/api/generate-content, and the types of Google's own client
(https://github.com/googleapis/python-genai). No client of the gateway speaks it: requests are written from OpenAI's
form, answers and streams are read into it. What is lost on the way is in docs/explanation/translation.md.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects.google_gemini import from_canonical
from sentinel_core.dialects.google_gemini.answer import answer_of
from sentinel_core.dialects.google_gemini.decoder import GeminiStreamDecoder
from sentinel_core.dialects.google_gemini.errors import upstream_error
from sentinel_core.dialects.google_gemini.framing import GeminiFraming
from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.messages import Answer

__all__ = ["GOOGLE_GEMINI", "GeminiFraming", "GoogleGemini"]


class GoogleGemini:
    """The wire format. Stateless: one instance, `GOOGLE_GEMINI`, serves every call."""

    def request_body(self, body: JsonMapping, model: str) -> Translated:
        """OpenAI's form as a request for `model`. Raises `Refusal`."""
        return from_canonical.request_body(body, model)

    def reader(self, model: str) -> GeminiReader:
        """Reads the reply to one call; `model` stands in where the reply names none."""
        return GeminiReader(model)

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return upstream_error(status, body, retry_after_s=retry_after_s)


class GeminiReader:
    """Reads the reply to one call as OpenAI's chat."""

    __slots__ = ("_model",)

    def __init__(self, model: str) -> None:
        self._model = model

    def stream_decoder(self) -> GeminiStreamDecoder:
        """A decoder for one stream."""
        return GeminiStreamDecoder(self._model)

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply. Raises `UpstreamError`."""
        return answer_of(raw, self._model)


GOOGLE_GEMINI: Final = GoogleGemini()
