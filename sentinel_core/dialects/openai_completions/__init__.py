"""OpenAI's legacy completions: `POST /v1/completions`.

Source: https://platform.openai.com/docs/api-reference/completions. What this format shares with chat completions
(frames and their order, usage, errors, the end of a stream) is chat's code; here is how a choice looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sentinel_core.dialects.openai_chat import answer as chat_answer
from sentinel_core.dialects.openai_chat import request as chat_request
from sentinel_core.dialects.openai_chat.errors import encode_error
from sentinel_core.dialects.openai_completions import answer, assembly, fields, request
from sentinel_core.dialects.openai_completions.decoder import CompletionStreamDecoder
from sentinel_core.dialects.openai_completions.encoder import CompletionStreamEncoder
from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.errors import SentinelError
from sentinel_core.messages import Answer, Event, Operation, Request

__all__ = ["OPENAI_COMPLETIONS", "OpenAICompletions"]


class OpenAICompletions:
    """The dialect. Stateless: one instance, `OPENAI_COMPLETIONS`, serves every request."""

    name: Final = "openai.completions"
    operation: Final[Operation] = "completion"

    def decode_request(self, body: Any) -> Request:  # decoded JSON of any shape
        """Validate a client's body and part the gateway's own fields from it. Raises `Refusal` (400)."""
        return request.decode(self, body)

    def encode_request(self, request_: Request, model: str) -> bytes:
        """The body for an upstream, asking for the usage chunk that closes a stream."""
        return chat_request.encode(request_, model)

    def request_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of a request that guards read. A prompt of token numbers holds none."""
        return fields.request_slots(body)

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply of an upstream. Raises `UpstreamError`."""
        return answer.decode(self, raw)

    def encode_answer(self, answer_: Answer) -> bytes:
        """The body for the client: as it came where it is unchanged."""
        return chat_answer.encode(answer_)

    def answer_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of an answer that guards read."""
        return fields.answer_slots(body)

    def patch_answer(self, body: Mapping[str, Any], texts: Mapping[Path, str]) -> Mapping[str, Any]:
        """The body with other texts; logprobs of a choice whose text changed are dropped."""
        return chat_answer.patch(body, texts)

    def decompose(self, answer_: Answer) -> tuple[Event, ...]:
        """A unary answer as events: each choice's text, then what that does not cover, then ends and usage."""
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

    def stream_decoder(self) -> CompletionStreamDecoder:
        """A decoder for one upstream's stream."""
        return CompletionStreamDecoder()

    def stream_encoder(self, request_: Request) -> CompletionStreamEncoder:
        """An encoder for one client's stream."""
        return CompletionStreamEncoder(request_)

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        return encode_error(error)


OPENAI_COMPLETIONS: Final = OpenAICompletions()
