"""OpenAI's Responses: `POST /v1/responses`.

Source: https://platform.openai.com/docs/api-reference/responses. A text of an answer (one part of a message, one
call's arguments, one part of reasoning) is a choice of its own here, numbered as they come: each ends by itself, and
guards let go of what they hold at an end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sentinel_core.dialects.openai_chat import answer as chat_answer
from sentinel_core.dialects.openai_chat.errors import encode_error
from sentinel_core.dialects.openai_responses import answer, assembly, fields, request
from sentinel_core.dialects.openai_responses.decoder import ResponseStreamDecoder
from sentinel_core.dialects.openai_responses.encoder import ResponseStreamEncoder
from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.errors import SentinelError
from sentinel_core.messages import Answer, Event, Operation, Request

__all__ = ["OPENAI_RESPONSES", "OpenAIResponses"]


class OpenAIResponses:
    """The dialect. Stateless: one instance, `OPENAI_RESPONSES`, serves every request."""

    name: Final = "openai.responses"
    operation: Final[Operation] = "response"

    def decode_request(self, body: Any) -> Request:  # decoded JSON of any shape
        """Validate a client's body and part the gateway's own fields from it. Raises `Refusal` (400)."""
        return request.decode(self, body)

    def encode_request(self, request_: Request, model: str) -> bytes:
        """The body for an upstream. Streams of this format end with their usage; nobody has to ask."""
        return request.encode(request_, model)

    def request_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of a request that guards read."""
        return fields.request_slots(body)

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply of an upstream. Raises `UpstreamError`."""
        return answer.decode(self, raw)

    def encode_answer(self, answer_: Answer) -> bytes:
        """The body for the client: as it came where it is unchanged."""
        return chat_answer.encode(answer_)

    def answer_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of an answer that guards read."""
        return fields.response_slots(body)

    def patch_answer(self, body: Mapping[str, Any], texts: Mapping[Path, str]) -> Mapping[str, Any]:
        """The body with other texts; logprobs of a part whose text changed are dropped."""
        return answer.patch(body, texts)

    def decompose(self, answer_: Answer) -> tuple[Event, ...]:
        """A unary answer as events: its texts, then what these do not cover, then their ends, then usage."""
        return assembly.decompose(answer_)

    def recompose(self, answer_: Answer, events: Sequence[Event]) -> Answer:
        """The answer with the texts that a stream stage made of `decompose(answer)`."""
        return assembly.recompose(answer_, events)

    def assemble(self, events: Sequence[Event]) -> Answer:
        """A stream's events as one unary answer."""
        return assembly.assemble(self, events)

    def stream_frames(self, answer_: Answer) -> tuple[Event, ...]:
        """A unary answer as a stream's events, for a client that asked for a stream."""
        return assembly.stream_frames(answer_)

    def stream_decoder(self) -> ResponseStreamDecoder:
        """A decoder for one upstream's stream."""
        return ResponseStreamDecoder()

    def stream_encoder(self, request_: Request) -> ResponseStreamEncoder:
        """An encoder for one client's stream."""
        return ResponseStreamEncoder(request_)

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        return encode_error(error)


OPENAI_RESPONSES: Final = OpenAIResponses()
