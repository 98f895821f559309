"""Anthropic's Messages: `POST /v1/messages`, and `POST /v1/messages/count_tokens`.

Source: https://docs.anthropic.com/en/api/messages. Same-dialect traffic is lossless: what no stage touched leaves as it
came. Translation to and from OpenAI's form is described in docs/explanation/translation.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sentinel_core.dialects.anthropic_messages import (
    answer,
    assembly,
    errors,
    fields,
    from_canonical,
    replies,
    request,
    to_canonical,
)
from sentinel_core.dialects.anthropic_messages.counting import AnthropicCounting
from sentinel_core.dialects.anthropic_messages.decoder import MessagesStreamDecoder
from sentinel_core.dialects.anthropic_messages.encoder import MessagesStreamEncoder
from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import SentinelError
from sentinel_core.messages import Answer, Event, Operation, Request

__all__ = ["ANTHROPIC_COUNTING", "ANTHROPIC_MESSAGES", "BETAS", "AnthropicMessages"]

BETAS: Final = "anthropic_beta"
"""In `Request.gateway`: the betas that the client's `anthropic-beta` header names."""


class AnthropicMessages:
    """The dialect. Stateless: one instance, `ANTHROPIC_MESSAGES`, serves every request."""

    name: Final = "anthropic.messages"
    operation: Final[Operation] = "chat"

    def decode_request(self, body: Any) -> Request:  # decoded JSON of any shape
        """Validate a client's body and part the gateway's own fields from it. Raises `Refusal` (400)."""
        return request.decode(self, body)

    def encode_request(self, request_: Request, model: str) -> bytes:
        """The body for an upstream of the same dialect."""
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
        """The body with other texts; citations and signatures of a block whose text changed are dropped."""
        return answer.patch(body, texts)

    def decompose(self, answer_: Answer) -> tuple[Event, ...]:
        """A unary answer as events: its channels block by block, what no channel covers, its end, its usage."""
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

    def stream_decoder(self) -> MessagesStreamDecoder:
        """A decoder for one upstream's stream."""
        return MessagesStreamDecoder()

    def stream_encoder(self, request_: Request) -> MessagesStreamEncoder:
        """An encoder for one client's stream."""
        return MessagesStreamEncoder(request_)

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        return errors.encode_error(error, request_id)

    def to_canonical_request(self, request_: Request) -> Mapping[str, Any]:
        """The request in OpenAI's form."""
        return to_canonical.request_body(request_.body, request_.gateway.get(BETAS, ()))

    def from_canonical_request(self, body: Mapping[str, Any], model: str) -> Translated:
        """OpenAI's form as a Messages request for `model`. Raises `Refusal`."""
        return from_canonical.request_body(body, model)

    def answer_to_canonical(self, answer_: Answer) -> Mapping[str, Any]:
        """The message as a completion."""
        return to_canonical.answer_body(answer_.body)

    def answer_from_canonical(self, body: Mapping[str, Any]) -> Answer:
        """A completion as a message. Raises `UpstreamError`."""
        return replies.answer_of(self, body)

    def stream_to_canonical(self) -> replies.ToCanonical:
        """For one stream of this dialect."""
        return replies.ToCanonical()

    def stream_from_canonical(self) -> replies.FromCanonical:
        """For one stream of canonical events."""
        return replies.FromCanonical()


ANTHROPIC_MESSAGES: Final = AnthropicMessages()
ANTHROPIC_COUNTING: Final = AnthropicCounting()
