"""OpenAI's embeddings: `POST /v1/embeddings`.

Source: https://platform.openai.com/docs/api-reference/embeddings. Nothing here is streamed: what belongs to streams
says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from sentinel_core.dialects.lanes import decomposed, recomposed
from sentinel_core.dialects.openai_chat import answer as chat_answer
from sentinel_core.dialects.openai_chat import request as chat_request
from sentinel_core.dialects.openai_chat.errors import encode_error
from sentinel_core.dialects.openai_embeddings import answer, fields, request
from sentinel_core.dialects.slots import Path, TextSlot, patched
from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.messages import Answer, Event, Operation, Request

__all__ = ["OPENAI_EMBEDDINGS", "OpenAIEmbeddings"]


class OpenAIEmbeddings:
    """The dialect. Stateless: one instance, `OPENAI_EMBEDDINGS`, serves every request."""

    name: Final = "openai.embeddings"
    operation: Final[Operation] = "embedding"

    def decode_request(self, body: Any) -> Request:  # decoded JSON of any shape
        """Validate a client's body and part the gateway's own fields from it. Raises `Refusal` (400)."""
        return request.decode(self, body)

    def encode_request(self, request_: Request, model: str) -> bytes:
        """The body for an upstream."""
        return chat_request.encode(request_, model)

    def request_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of a request that guards read. An input of token numbers holds none."""
        return fields.request_slots(body)

    def decode_answer(self, raw: bytes) -> Answer:
        """A reply of an upstream. Raises `UpstreamError`."""
        return answer.decode(self, raw)

    def encode_answer(self, answer_: Answer) -> bytes:
        """The body for the client: as it came where it is unchanged."""
        return chat_answer.encode(answer_)

    def answer_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of an answer that guards read; a vector, as numbers or in base64, is none."""
        return fields.answer_slots(body)

    def patch_answer(self, body: Mapping[str, Any], texts: Mapping[Path, str]) -> Mapping[str, Any]:
        """The body with other texts."""
        result: Mapping[str, Any] = patched(body, texts)
        return result

    def decompose(self, answer_: Answer) -> tuple[Event, ...]:
        """An answer as events: its strings, of which none is in a channel, and its usage."""
        return decomposed(answer_, ())

    def recompose(self, answer_: Answer, events: Sequence[Event]) -> Answer:
        """The answer with the texts that a stream stage made of `decompose(answer)`."""
        return recomposed(answer_, (), events)

    def assemble(self, events: Sequence[Event]) -> Answer:
        """Raises TypeError: there is no stream to assemble."""
        _not_streamed()

    def stream_frames(self, answer_: Answer) -> tuple[Event, ...]:
        """Raises TypeError: no request asks for a stream."""
        _not_streamed()

    def stream_decoder(self) -> NoReturn:
        """Raises `UpstreamError`: an upstream that streams embeddings has not understood the request."""
        raise UpstreamError("upstream_invalid_response")

    def stream_encoder(self, request_: Request) -> NoReturn:
        """Raises TypeError: no request asks for a stream."""
        _not_streamed()

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        return encode_error(error)


def _not_streamed() -> NoReturn:
    raise TypeError("embeddings are never streamed")


OPENAI_EMBEDDINGS: Final = OpenAIEmbeddings()
