"""Ollama's own chat: `POST /api/chat`, which no client of the gateway speaks.

Source: https://docs.ollama.com/api and `api/types.go` of https://github.com/ollama/ollama. It is written from the
canonical form and read into it (`upstream.native`); docs/explanation/translation.md says what becomes of what.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from sentinel_core.dialects.ollama_chat import answer, errors, request
from sentinel_core.dialects.ollama_chat.decoder import OllamaStreamDecoder
from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer

__all__ = ["OllamaChat", "OllamaReader"]


class OllamaReader(NamedTuple):
    """Reads the reply to one call. `answer_id` is part of the ids that Ollama does not give."""

    model: str
    answer_id: str

    def stream_decoder(self) -> OllamaStreamDecoder:
        """A decoder for the reply's stream."""
        return OllamaStreamDecoder(self.model, self.answer_id)

    def decode_answer(self, raw: bytes) -> Answer:
        """The unary reply as a completion. Raises `UpstreamError`."""
        return answer.decode(raw, self.model, self.answer_id)


class OllamaChat:
    """The wire format, with what one server is told in every request.

    `num_ctx` is the context's length in tokens and `keep_alive_s` how many seconds the model stays loaded, both as the
    server has them where they are None. Without `truncate` a conversation that is longer than the context is an error,
    and an answer that fills it ends: nothing is cut silently. Without `think` no model is told to think.
    """

    def __init__(
        self,
        *,
        num_ctx: int | None = None,
        keep_alive_s: float | None = None,
        truncate: bool = False,
        think: bool = True,
    ) -> None:
        self._think = think
        self._options: JsonObject = {} if num_ctx is None else {"num_ctx": num_ctx}
        # `truncate` is about the prompt, `shift` about an answer that would push the prompt out.
        self._fixed: JsonObject = {} if truncate else {"truncate": False, "shift": False}
        if keep_alive_s is not None:
            self._fixed["keep_alive"] = keep_alive_s

    def request_body(self, body: JsonMapping, model: str) -> Translated:
        """The canonical request for `model`. Raises `Refusal`."""
        return request.request_body(body, model, self._fixed, self._options, think=self._think)

    def reader(self, model: str) -> OllamaReader:
        """Reads the reply to one call; `model` stands in where the reply names none."""
        return OllamaReader(model, secrets.token_hex(8))

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return errors.upstream_error(status, body, retry_after_s=retry_after_s)
