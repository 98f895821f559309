"""Unary answers as completions of OpenAI's chat."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sentinel_core.dialects.google_gemini.calls import seed_of, tool_call
from sentinel_core.dialects.google_gemini.logprobs import logprobs_of
from sentinel_core.dialects.google_gemini.parts import image_of
from sentinel_core.dialects.google_gemini.refusals import blocked, no_answer
from sentinel_core.dialects.google_gemini.signatures import KEY
from sentinel_core.dialects.google_gemini.wire import Candidate, Part, Reply, decode
from sentinel_core.dialects.google_gemini.words import EXACT, extension, finish_reason, finished, has_failed, usage_of
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.assembly import usage_object
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Answer

_GATEWAY_ID = "chatcmpl-gateway"


def answer_of(raw: bytes, model: str) -> Answer:
    """Read a whole answer. Raises `UpstreamError` for what is none, for a blocked prompt, and for an answer that does
    not say why it ended or that is empty because the model failed."""
    reply = decode(raw)
    if not reply.candidates:
        raise blocked(reply) or UpstreamError("upstream_invalid_response")
    seed = seed_of(reply.response_id)
    choices = [_choice(candidate, position, seed) for position, candidate in enumerate(reply.candidates)]
    reason = reply.candidates[0].finish_reason or ""
    if has_failed(reason) and not any(_speaks(choice["message"]) for choice in choices):
        raise no_answer(reason)
    body = {**head_of(reply, model, "chat.completion"), "choices": choices}
    usage = usage_of(reply.usage_metadata)
    if usage is not None:
        body["usage"] = usage_object(usage)
    return Answer(dialect=OPENAI_CHAT, body=body, usage=usage)


def head_of(reply: Reply, model: str, kind: str) -> JsonObject:
    """Who answers: the model that the reply names, else `model`."""
    return {
        "id": reply.response_id or _GATEWAY_ID,
        "object": kind,
        "created": int(time.time()),
        "model": reply.model_version or model,
    }


def kept_beside(signature: str | None, reason: str) -> JsonObject:
    """What of a message only Google knows: the signature of its text, and a reason that OpenAI has no word for."""
    kept = {KEY: signature} if signature else {}
    if reason not in EXACT:
        kept["finish_reason"] = reason
    return extension(**kept) if kept else {}


def _choice(candidate: Candidate, position: int, seed: str) -> JsonObject:
    index = position if candidate.index is None else candidate.index
    reason = finished(candidate.finish_reason)
    if reason is None:
        raise UpstreamError("upstream_invalid_response")
    message = _message(candidate.parts, seed, index)
    signed = [part.thought_signature for part in candidate.parts if part.function_call is None]
    message |= kept_beside(next((one for one in reversed(signed) if one), None), reason)
    choice = {"index": index, "message": message, "finish_reason": finish_reason(reason, calls="tool_calls" in message)}
    if candidate.logprobs_result is not None:
        choice["logprobs"] = logprobs_of(candidate.logprobs_result)
    return choice


def _message(parts: Sequence[Part], seed: str, choice: int) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": "".join(_texts(parts, thought=False)) or None}
    if thoughts := "".join(_texts(parts, thought=True)):
        message["reasoning_content"] = thoughts
    calls = [(part.function_call, part.thought_signature) for part in parts if part.function_call is not None]
    if calls:
        message["tool_calls"] = [tool_call(*call, seed, choice, number) for number, call in enumerate(calls)]
    blobs = [part.image for part in parts if part.image is not None]
    if blobs:
        message["images"] = [image_of(blob, index) for index, blob in enumerate(blobs)]
    if not _speaks(message):
        message["content"] = ""
    return message


def _texts(parts: Sequence[Part], *, thought: bool) -> list[str]:
    return [part.text for part in parts if part.text and bool(part.thought) is thought]


def _speaks(message: JsonObject) -> bool:
    """Whether a message says anything."""
    return bool(message["content"]) or not message.keys().isdisjoint(("reasoning_content", "tool_calls", "images"))
