"""OpenAI's legacy completions: `POST /v1/completions`.

Source: https://platform.openai.com/docs/api-reference/completions. What this format shares with chat completions
(frames and their order, usage, errors, the end of a stream) is chat's code; here is how a choice looks.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects import lossless
from sentinel_core.dialects.base import RequestFields
from sentinel_core.dialects.openai_chat import answer as chat_answer
from sentinel_core.dialects.openai_chat import errors
from sentinel_core.dialects.openai_chat import request as chat_request
from sentinel_core.dialects.openai_completions import answer, assembly, fields, request
from sentinel_core.dialects.openai_completions.decoder import CompletionStreamDecoder
from sentinel_core.dialects.openai_completions.encoder import CompletionStreamEncoder
from sentinel_core.messages import Operation

__all__ = ["OPENAI_COMPLETIONS", "OpenAICompletions"]


class OpenAICompletions:
    """The dialect. Stateless: one instance, `OPENAI_COMPLETIONS`, serves every request."""

    name: Final = "openai.completions"
    operation: Final[Operation] = "completion"
    request_fields: Final = RequestFields(
        "prompt", output_caps=("max_tokens",), choices=("n", "best_of"), stops=("stop",)
    )

    decode_request = request.decode
    encode_request = staticmethod(chat_request.encode)
    request_texts = staticmethod(fields.request_slots)
    decode_answer = answer.decode
    encode_answer = staticmethod(lossless.encode_answer)
    answer_texts = staticmethod(fields.answer_slots)
    patch_answer = staticmethod(chat_answer.patch)
    restore_answer = staticmethod(chat_answer.patch)
    decompose = staticmethod(assembly.decompose)
    ends = staticmethod(assembly.ends)
    recompose = staticmethod(assembly.recompose)
    assemble = assembly.assemble
    stream_frames = staticmethod(assembly.stream_frames)
    stream_decoder = CompletionStreamDecoder
    stream_encoder = CompletionStreamEncoder
    encode_error = staticmethod(errors.encode_error)


OPENAI_COMPLETIONS: Final = OpenAICompletions()
