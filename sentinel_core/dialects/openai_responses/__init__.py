"""OpenAI's Responses: `POST /v1/responses`.

A dialect of clients: whoever speaks it can be answered by any chat. Nothing is translated to it, since no upstream
speaks it alone.

Source: https://platform.openai.com/docs/api-reference/responses. A text of an answer (one part of a message, one
call's arguments, one part of reasoning) is a choice of its own here, numbered as they come: each ends by itself, and
guards let go of what they hold at an end.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects import lossless
from sentinel_core.dialects.base import RequestFields
from sentinel_core.dialects.openai_chat import errors
from sentinel_core.dialects.openai_responses import answer, assembly, fields, replies, request, to_canonical
from sentinel_core.dialects.openai_responses.decoder import ResponseStreamDecoder
from sentinel_core.dialects.openai_responses.encoder import ResponseStreamEncoder
from sentinel_core.messages import Operation

__all__ = ["OPENAI_RESPONSES", "OpenAIResponses"]


class OpenAIResponses:
    """The dialect. Stateless: one instance, `OPENAI_RESPONSES`, serves every request."""

    name: Final = "openai.responses"
    operation: Final[Operation] = "response"
    request_fields: Final = RequestFields(
        "input", system="instructions", tools=("tools",), output_caps=("max_output_tokens",)
    )

    decode_request = request.decode
    encode_request = staticmethod(lossless.encode_request)
    request_texts = staticmethod(fields.request_slots)
    decode_answer = answer.decode
    encode_answer = staticmethod(lossless.encode_answer)
    answer_texts = staticmethod(fields.response_slots)
    patch_answer = staticmethod(answer.patch)
    restore_answer = staticmethod(answer.patch)
    decompose = staticmethod(assembly.decompose)
    ends = staticmethod(assembly.ends)
    recompose = staticmethod(assembly.recompose)
    assemble = assembly.assemble
    stream_frames = staticmethod(assembly.stream_frames)
    stream_decoder = ResponseStreamDecoder
    stream_encoder = ResponseStreamEncoder
    encode_error = staticmethod(errors.encode_error)

    only_native = staticmethod(to_canonical.only_native)
    to_canonical_request = staticmethod(to_canonical.request_body)
    answer_from_canonical = replies.answer_of
    stream_from_canonical = replies.FromCanonical


OPENAI_RESPONSES: Final = OpenAIResponses()
