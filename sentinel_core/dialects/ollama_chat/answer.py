"""Unary answers as OpenAI's completions."""

from __future__ import annotations

import time

from sentinel_core.dialects.ollama_chat.errors import reported_error
from sentinel_core.dialects.ollama_chat.message import calls_of, message_of, text_of
from sentinel_core.dialects.ollama_chat.words import finish_reason, logprobs_of, usage_of
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.answer import decode_object
from sentinel_core.dialects.openai_chat.assembly import usage_object
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Answer


def decode(raw: bytes, model: str, answer_id: str) -> Answer:
    """An upstream's answer as a completion with one choice. Raises `UpstreamError` for what is none (U12, U13)."""
    body = decode_object(raw, reported=reported_error)
    message = message_of(body)
    if body.get("done") is not True:
        raise UpstreamError("upstream_invalid_response")
    usage = usage_of(body)
    made = {**head_of(body, model, answer_id, "chat.completion"), "choices": [_choice(body, message, answer_id)]}
    if usage is not None:
        made["usage"] = usage_object(usage)
    return Answer(dialect=OPENAI_CHAT, body=made, usage=usage)


def head_of(body: JsonMapping, model: str, answer_id: str, kind: str) -> JsonObject:
    """The members that tell who answers: Ollama gives an answer no id, so that this one is the gateway's."""
    named = body.get("model")
    return {
        "id": f"chatcmpl-{answer_id}",
        "object": kind,
        "created": int(time.time()),
        "model": named if isinstance(named, str) and named else model,
    }


def _choice(body: JsonMapping, message: JsonMapping, answer_id: str) -> JsonObject:
    calls = calls_of(message, answer_id)
    text, thought = text_of(message, "content"), text_of(message, "thinking")
    made: JsonObject = {"role": "assistant", "content": text or (None if calls or thought else "")}
    if thought:
        made["reasoning_content"] = thought
    if calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    reason = finish_reason(body.get("done_reason"), calls=bool(calls))
    choice: JsonObject = {"index": 0, "message": made, "finish_reason": reason}
    logprobs = logprobs_of(body.get("logprobs"))
    return choice if logprobs is None else {**choice, "logprobs": logprobs}
