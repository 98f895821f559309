"""OpenAI's chat completions: `POST /v1/chat/completions`.

Source: https://platform.openai.com/docs/api-reference/chat. Same-dialect traffic is lossless: what no stage touched
leaves as it came.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects import lossless
from sentinel_core.dialects.base import RequestFields
from sentinel_core.dialects.openai_chat import answer, assembly, canonical, errors, fields, request, strict
from sentinel_core.dialects.openai_chat.decoder import ChatStreamDecoder
from sentinel_core.dialects.openai_chat.encoder import ChatStreamEncoder
from sentinel_core.dialects.translation import anywhere
from sentinel_core.messages import Operation

__all__ = ["OPENAI_CHAT", "OpenAIChat"]


class OpenAIChat:
    """The dialect, and the canonical form. Stateless: one instance, `OPENAI_CHAT`, serves every request."""

    name: Final = "openai.chat"
    operation: Final[Operation] = "chat"
    request_fields: Final = RequestFields(
        "messages",
        tools=("tools", "functions"),
        output_caps=("max_completion_tokens", "max_tokens"),
        choices=("n",),
        stops=("stop",),
    )

    decode_request = request.decode
    encode_request = staticmethod(request.encode)
    request_texts = staticmethod(fields.request_slots)
    decode_answer = answer.decode
    encode_answer = staticmethod(lossless.encode_answer)
    answer_texts = staticmethod(fields.answer_slots)
    patch_answer = staticmethod(answer.patch)
    restore_answer = staticmethod(answer.restored)
    decompose = staticmethod(assembly.decompose)
    ends = staticmethod(assembly.ends)
    recompose = staticmethod(assembly.recompose)
    assemble = assembly.assemble
    stream_frames = staticmethod(assembly.stream_frames)
    stream_decoder = ChatStreamDecoder
    stream_encoder = ChatStreamEncoder
    encode_error = staticmethod(errors.encode_error)

    only_native = staticmethod(anywhere)
    to_canonical_request = staticmethod(canonical.request_as_it_is)
    from_canonical_request = staticmethod(strict.request_body)
    answer_to_canonical = staticmethod(canonical.answer_as_it_is)
    answer_from_canonical = canonical.answer_of
    stream_to_canonical = canonical.ToCanonical
    stream_from_canonical = canonical.FromCanonical


OPENAI_CHAT: Final = OpenAIChat()
