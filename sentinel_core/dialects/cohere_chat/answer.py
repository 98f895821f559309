"""Cohere's unary answers in OpenAI's form.

Source: `V2ChatResponse` of cohere-ai/cohere-python 7.3.1. It names neither a model nor a time.
"""

from __future__ import annotations

import time

from sentinel_core.dialects.cohere_chat.calls import arguments_of
from sentinel_core.dialects.cohere_chat.decoder import CohereStreamDecoder
from sentinel_core.dialects.cohere_chat.errors import failure
from sentinel_core.dialects.cohere_chat.logprobs import choice_logprobs
from sentinel_core.dialects.cohere_chat.words import (
    CITATIONS,
    FAILURES,
    THINKING,
    extension,
    finish_reason,
    identifier,
    usage_of,
)
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.answer import decode_object
from sentinel_core.dialects.openai_chat.assembly import usage_object
from sentinel_core.dialects.openai_chat.errors import reported_error
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer


class CohereReader:
    """Reads the reply to one call of `model`."""

    __slots__ = ("_model",)

    def __init__(self, model: str) -> None:
        self._model = model

    def stream_decoder(self) -> CohereStreamDecoder:
        """A decoder for one stream."""
        return CohereStreamDecoder(self._model)

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply as OpenAI's. Raises `UpstreamError` for what is none (U12, U13), and for a failed one."""
        body = decode_object(raw)
        if isinstance(body.get("message"), str):
            raise reported_error(body)
        return OPENAI_CHAT.answer_from_canonical(_completion(body, self._model))


def _completion(body: JsonMapping, model: str) -> JsonObject:
    message, reason = body.get("message"), body.get("finish_reason")
    if not isinstance(message, dict) or not isinstance(reason, str):
        raise UpstreamError("upstream_invalid_response")
    if reason in FAILURES:
        raise failure(reason, body.get("error"))
    choice: JsonObject = {"index": 0, "message": _message(message), "finish_reason": finish_reason(reason)}
    if isinstance(body.get("logprobs"), list):
        choice["logprobs"] = choice_logprobs(body["logprobs"])
    result: JsonObject = {
        "id": identifier(body),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
    }
    usage = usage_of(body.get("usage"))
    return {**result, "usage": usage_object(usage)} if usage is not None else result


def _message(said: JsonMapping) -> JsonObject:
    """What the model said, or planned to do, in `content`; thoughts, calls, and what only Cohere knows beside it."""
    thoughts, texts = _texts(said.get("content"), "thinking"), _texts(said.get("content"), "text")
    content = _texts([{"text": said.get("tool_plan")}], "text") + texts
    message: JsonObject = {"role": "assistant", "content": content or None}
    own: JsonObject = {}
    if thoughts:
        message["reasoning_content"] = thoughts
        own[THINKING] = True
    if calls := said.get("tool_calls"):
        message["tool_calls"] = [_call(call) for call in _list(calls)]
    if citations := said.get("citations"):
        own[CITATIONS] = _list(citations)
    if content == "" and not (thoughts or calls):
        message["content"] = ""
    return {**message, **extension(own)} if own else message


def _texts(parts: JsonValue, key: str) -> str:
    """The text of the parts that hold one under this key."""
    found = [part.get(key) if isinstance(part, dict) else None for part in _list(parts or [])]
    if not all(isinstance(text, str | None) for text in found):
        raise UpstreamError("upstream_invalid_response")
    return "".join(text for text in found if text)


def _call(call: JsonValue) -> JsonObject:
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(arguments, str | None):
        raise UpstreamError("upstream_invalid_response")
    made = {"name": function.get("name"), "arguments": arguments_of(arguments or "")}
    return {"id": call.get("id"), "type": "function", "function": made}


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise UpstreamError("upstream_invalid_response")
    return value
