"""OpenAI's chat completions: `POST /v1/chat/completions`.

Source: https://platform.openai.com/docs/api-reference/chat. Same-dialect traffic is lossless: what no stage touched
leaves as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sentinel_core.dialects.openai_chat import answer, assembly, canonical, fields, request
from sentinel_core.dialects.openai_chat.decoder import ChatStreamDecoder
from sentinel_core.dialects.openai_chat.encoder import ChatStreamEncoder
from sentinel_core.dialects.openai_chat.errors import encode_error
from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import SentinelError
from sentinel_core.messages import Answer, Event, Operation, Request

__all__ = ["OPENAI_CHAT", "OpenAIChat"]


class OpenAIChat:
    """The dialect. Stateless: one instance, `OPENAI_CHAT`, serves every request."""

    name: Final = "openai.chat"
    operation: Final[Operation] = "chat"

    def decode_request(self, body: Any) -> Request:  # decoded JSON of any shape
        """Validate a client's body and part the gateway's own fields from it. Raises `Refusal` (400)."""
        return request.decode(self, body)

    def encode_request(self, request_: Request, model: str) -> bytes:
        """The body for an upstream, asking for the usage chunk that closes a stream."""
        return request.encode(request_, model)

    def request_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of a request that guards read."""
        return fields.request_slots(body)

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply of an upstream. Raises `UpstreamError`."""
        return answer.decode(self, raw)

    def encode_answer(self, answer_: Answer) -> bytes:
        """The body for the client: as it came where it is unchanged."""
        return answer.encode(answer_)

    def answer_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of an answer that guards read."""
        return fields.answer_slots(body)

    def patch_answer(self, body: Mapping[str, Any], texts: Mapping[Path, str]) -> Mapping[str, Any]:
        """The body with other texts; logprobs of a choice whose text changed are dropped."""
        return answer.patch(body, texts)

    def decompose(self, answer_: Answer) -> tuple[Event, ...]:
        """A unary answer as events: per choice its channels and end, then what no channel covers, then usage."""
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

    def stream_decoder(self) -> ChatStreamDecoder:
        """A decoder for one upstream's stream."""
        return ChatStreamDecoder()

    def stream_encoder(self, request_: Request) -> ChatStreamEncoder:
        """An encoder for one client's stream."""
        return ChatStreamEncoder(request_)

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        return encode_error(error)

    def to_canonical_request(self, request_: Request) -> Mapping[str, Any]:
        """The body itself: this is the canonical form."""
        return request_.body

    def from_canonical_request(self, body: Mapping[str, Any], model: str) -> Translated:
        """The body without what other dialects added to it."""
        return canonical.request_body(body, model)

    def answer_to_canonical(self, answer_: Answer) -> Mapping[str, Any]:
        """The body itself."""
        return answer_.body

    def answer_from_canonical(self, body: Mapping[str, Any]) -> Answer:
        """An answer with this body."""
        return Answer(dialect=self, body=body, usage=answer.decode_usage(body.get("usage")))

    def stream_to_canonical(self) -> canonical.ToCanonical:
        """For one stream of this dialect."""
        return canonical.ToCanonical()

    def stream_from_canonical(self) -> canonical.FromCanonical:
        """For one stream of canonical events."""
        return canonical.FromCanonical()


OPENAI_CHAT: Final = OpenAIChat()
