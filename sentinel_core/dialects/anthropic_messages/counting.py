"""Counting a prompt's tokens: a Messages request, and an answer that is one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sentinel_core.dialects.anthropic_messages import answer, errors, fields, request
from sentinel_core.dialects.anthropic_messages.decoder import MessagesStreamDecoder
from sentinel_core.dialects.anthropic_messages.encoder import MessagesStreamEncoder
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.dialects.slots import Path, TextSlot, patched
from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.messages import Answer, Event, Operation, Request, TextEvent


class AnthropicCounting:
    """`POST /v1/messages/count_tokens`. Its answers have no channels, and it does not stream."""

    name: Final = "anthropic.count_tokens"
    operation: Final[Operation] = "count_tokens"

    def decode_request(self, body: Any) -> Request:  # decoded JSON of any shape
        """Validate a client's body. Raises `Refusal` (400)."""
        decoded = request.decode(self, body)
        if decoded.stream:
            raise invalid("stream", "Token counts are not streamed.")
        return decoded

    def encode_request(self, request_: Request, model: str) -> bytes:
        """The body for an upstream."""
        return request.encode(request_, model)

    def request_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of a request that guards read: what is counted is sent to the provider."""
        return fields.request_slots(body)

    def decode_answer(self, raw: bytes) -> Answer:
        """A count. Raises `UpstreamError`."""
        body = answer.decode_object(raw)
        count = body.get("input_tokens")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise UpstreamError("upstream_invalid_response")
        return Answer(dialect=self, body=body, operation=self.operation, raw=raw)

    def encode_answer(self, answer_: Answer) -> bytes:
        """The body for the client."""
        return answer.encode(answer_)

    def answer_texts(self, body: Mapping[str, Any]) -> tuple[TextSlot, ...]:
        """The strings of an answer, of which the format has none."""
        return fields.answer_slots(body)

    def patch_answer(self, body: Mapping[str, Any], texts: Mapping[Path, str]) -> Mapping[str, Any]:
        """The body with other texts."""
        result: dict[str, Any] = patched(body, texts)
        return result

    def decompose(self, answer_: Answer) -> tuple[Event, ...]:
        """No events: a count says nothing."""
        return ()

    def recompose(self, answer_: Answer, events: Sequence[Event]) -> Answer:
        """The answer as it was."""
        return answer_

    def assemble(self, events: Sequence[Event]) -> Answer:
        """An answer that holds these texts, so that guards can read an error's."""
        text = "".join(event.text for event in events if isinstance(event, TextEvent))
        return Answer(dialect=self, body={"content": text}, operation=self.operation)

    def stream_frames(self, answer_: Answer) -> tuple[Event, ...]:
        """No events."""
        return ()

    def stream_decoder(self) -> MessagesStreamDecoder:
        """For an upstream that streams where none was asked for: nothing of it is a count."""
        return MessagesStreamDecoder()

    def stream_encoder(self, request_: Request) -> MessagesStreamEncoder:
        """For the protocol's sake."""
        return MessagesStreamEncoder(request_)

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        return errors.encode_error(error, request_id)
