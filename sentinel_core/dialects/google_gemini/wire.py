"""What answers of `generateContent` look like, as far as they are read; a chunk of a stream is one of them.

Source: https://ai.google.dev/api/generate-content, and `GenerateContentResponse` of google-genai's `types.py`. JSON of
protocol buffers leaves out what is zero or empty, so everything may be missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentinel_core.decoding import ANSWER_LIMITS, decode_sent
from sentinel_core.dialects.google_gemini.errors import reported_error
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue


class Blob(msgspec.Struct, rename="camel"):
    """Bytes as base64."""

    mime_type: str = ""
    data: str = ""


class FunctionCall(msgspec.Struct):
    """A call of a tool. It comes whole; without arguments it has no `args`."""

    name: str
    args: JsonObject | None = None  # the model's own choice
    id: str | None = None


class Part(msgspec.Struct, rename="camel"):
    """A piece of an answer: one of text, a thought, a call or bytes. Any of them may be signed, empty text too."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None

    @property
    def image(self) -> Blob | None:
        """The picture, if this is one. Other bytes are only given to those who ask for them."""
        blob = self.inline_data
        return blob if blob is not None and blob.mime_type.startswith("image/") else None


class Content(msgspec.Struct):
    """The pieces of one answer; filtered ones have none."""

    parts: list[Part] | None = None


class Token(msgspec.Struct, rename="camel"):
    """A token and how likely it was."""

    token: str = ""
    log_probability: float = 0.0


class TopTokens(msgspec.Struct):
    """The likeliest tokens in one place."""

    candidates: list[Token] | None = None


class Logprobs(msgspec.Struct, rename="camel"):
    """The tokens of an answer; `top_candidates` has an item for each."""

    chosen_candidates: list[Token] | None = None
    top_candidates: list[TopTokens] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One of the answers. It is whole once it has a reason to have finished."""

    content: Content | None = None
    finish_reason: str | None = None
    index: int | None = None
    logprobs_result: Logprobs | None = None

    @property
    def parts(self) -> Sequence[Part]:
        """The pieces of the answer."""
        return (self.content.parts or ()) if self.content is not None else ()


class PromptFeedback(msgspec.Struct, rename="camel"):
    """Why a prompt was not answered."""

    block_reason: str | None = None


class Reply(msgspec.Struct, rename="camel"):
    """An answer, or a chunk of one. Token counts are checked where they are read: wrong ones do not cost the answer."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: JsonValue = None
    model_version: str | None = None
    response_id: str | None = None
    error: JsonValue = None


# Beyond all floats is infinity: a count that makes no sense must not cost the caller the answer (U26).
_decode = msgspec.json.Decoder(Reply | list[Reply], float_hook=float).decode


def decode(raw: bytes) -> Reply:
    """Read one answer or chunk. Raises `UpstreamError`: the error that it reports, alone or as the only item of an
    array; else upstream_invalid_response."""
    try:
        reply: Reply | list[Reply] = decode_sent(raw, ANSWER_LIMITS, _decode)
    except Refusal:
        raise UpstreamError("upstream_invalid_response") from None
    if isinstance(reply, list):
        if len(reply) != 1 or not reply[0].error:
            raise UpstreamError("upstream_invalid_response")
        reply = reply[0]
    if reply.error:
        raise reported_error(reply.error)
    return reply
