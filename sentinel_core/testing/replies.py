"""Small replies in OpenAI's form, for scripts and expectations."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer

_TOP = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": "fake"}


def completion(text: str, **fields: JsonValue) -> Answer:
    """A unary answer that says `text`."""
    body = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": None, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        **fields,
    }
    return OPENAI_CHAT.decode_answer(msgspec.json.encode(body))


def chunk(delta: JsonObject, *, finish: str | None = None, choice: int = 0, **fields: JsonValue) -> bytes:
    """One `chat.completion.chunk` as JSON."""
    choices = [{"index": choice, "delta": delta, "finish_reason": finish}]
    return msgspec.json.encode({**_TOP, "choices": choices, **fields})


def opening_chunk() -> bytes:
    """The chunk that carries only the role."""
    return chunk({"role": "assistant", "content": ""})


def content_chunk(text: str, choice: int = 0) -> bytes:
    """A chunk with a fragment of content."""
    return chunk({"content": text}, choice=choice)


def finish_chunk(reason: str = "stop", choice: int = 0) -> bytes:
    """The chunk that completes a choice."""
    return chunk({}, finish=reason, choice=choice)


def usage_chunk() -> bytes:
    """The chunk with the usage."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return msgspec.json.encode({**_TOP, "choices": [], "usage": usage})


def events_of(payload: bytes) -> Sequence[Event]:
    """A chunk's events."""
    return OPENAI_CHAT.stream_decoder().decode(payload)


def chat_body(prompt: str = "Hello", **fields: JsonValue) -> JsonObject:
    """A chat request's body."""
    return {"model": "fake", "messages": [{"role": "user", "content": prompt}], **fields}
