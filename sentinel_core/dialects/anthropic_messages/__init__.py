"""Anthropic's Messages: `POST /v1/messages`, and `POST /v1/messages/count_tokens`.

Source: https://docs.anthropic.com/en/api/messages. Same-dialect traffic is lossless: what no stage touched leaves as it
came. Translation to and from OpenAI's form is described in docs/explanation/translation.md.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects import lossless
from sentinel_core.dialects.anthropic_messages import (
    answer,
    assembly,
    counting,
    errors,
    fields,
    from_canonical,
    replies,
    request,
    to_canonical,
)
from sentinel_core.dialects.anthropic_messages.decoder import MessagesStreamDecoder
from sentinel_core.dialects.anthropic_messages.encoder import MessagesStreamEncoder
from sentinel_core.dialects.anthropic_messages.to_canonical import BETAS
from sentinel_core.dialects.slots import patched
from sentinel_core.dialects.translation import anywhere
from sentinel_core.dialects.unstreamed import Unstreamed
from sentinel_core.messages import Operation

__all__ = ["ANTHROPIC_COUNTING", "ANTHROPIC_MESSAGES", "BETAS", "AnthropicCounting", "AnthropicMessages"]


class AnthropicMessages:
    """The dialect. Stateless: one instance, `ANTHROPIC_MESSAGES`, serves every request."""

    name: Final = "anthropic.messages"
    operation: Final[Operation] = "chat"
    request_fields: Final = request.FIELDS

    decode_request = request.decode
    encode_request = staticmethod(lossless.encode_request)
    request_texts = staticmethod(fields.request_slots)
    decode_answer = answer.decode
    encode_answer = staticmethod(lossless.encode_answer)
    answer_texts = staticmethod(fields.answer_slots)
    patch_answer = staticmethod(answer.patch)
    restore_answer = staticmethod(patched)
    decompose = staticmethod(assembly.decompose)
    ends = staticmethod(assembly.ends)
    recompose = staticmethod(assembly.recompose)
    assemble = assembly.assemble
    stream_frames = staticmethod(assembly.stream_frames)
    stream_decoder = MessagesStreamDecoder
    stream_encoder = MessagesStreamEncoder
    encode_error = staticmethod(errors.encode_error)

    only_native = staticmethod(anywhere)
    to_canonical_request = staticmethod(to_canonical.request_body)
    from_canonical_request = staticmethod(from_canonical.request_body)
    answer_to_canonical = staticmethod(to_canonical.answer_body)
    answer_from_canonical = replies.answer_of
    stream_to_canonical = replies.ToCanonical
    stream_from_canonical = replies.FromCanonical


class AnthropicCounting(Unstreamed):
    """Counting a prompt's tokens: a Messages request, and an answer that is one number."""

    name: Final = "anthropic.count_tokens"
    operation: Final[Operation] = "count_tokens"
    request_fields: Final = request.FIELDS

    decode_request = counting.decode_request
    encode_request = staticmethod(lossless.encode_request)
    request_texts = staticmethod(fields.request_slots)
    decode_answer = counting.decode_answer
    encode_answer = staticmethod(lossless.encode_answer)
    answer_texts = staticmethod(fields.answer_slots)
    patch_answer = staticmethod(patched)
    restore_answer = staticmethod(patched)
    encode_error = staticmethod(errors.encode_error)


ANTHROPIC_MESSAGES: Final = AnthropicMessages()
ANTHROPIC_COUNTING: Final = AnthropicCounting()
