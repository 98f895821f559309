"""OpenAI's embeddings: `POST /v1/embeddings`.

Source: https://platform.openai.com/docs/api-reference/embeddings. Nothing here is streamed.
"""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects import lossless
from sentinel_core.dialects.base import RequestFields
from sentinel_core.dialects.openai_chat import errors
from sentinel_core.dialects.openai_embeddings import answer, fields, request
from sentinel_core.dialects.slots import patched
from sentinel_core.dialects.unstreamed import Unstreamed
from sentinel_core.messages import Operation

__all__ = ["OPENAI_EMBEDDINGS", "OpenAIEmbeddings"]


class OpenAIEmbeddings(Unstreamed):
    """The dialect. Stateless: one instance, `OPENAI_EMBEDDINGS`, serves every request."""

    name: Final = "openai.embeddings"
    operation: Final[Operation] = "embedding"
    request_fields: Final = RequestFields("input")

    decode_request = request.decode
    encode_request = staticmethod(lossless.encode_request)
    request_texts = staticmethod(fields.request_slots)
    decode_answer = answer.decode
    encode_answer = staticmethod(lossless.encode_answer)
    answer_texts = staticmethod(fields.answer_slots)
    patch_answer = staticmethod(patched)
    restore_answer = staticmethod(patched)
    encode_error = staticmethod(errors.encode_error)


OPENAI_EMBEDDINGS: Final = OpenAIEmbeddings()
