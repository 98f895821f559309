"""Bodies and stream frames as an OpenAI-compatible upstream writes them."""

from __future__ import annotations

import gzip
import io
import json

from sentinel_core.json_types import JsonObject, JsonValue

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def completion(text: str = "hello", **fields: JsonValue) -> JsonObject:
    """A complete unary answer. `fields` replace or add top-level members."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "upstream-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": USAGE,
        **fields,
    }


def delta(content: str | None = None, *, index: int = 0, finish: str | None = None, **fields: JsonValue) -> JsonObject:
    """One stream chunk with one choice; `fields` are further members of its delta (role, tool_calls, ...)."""
    body = dict(fields)
    if content is not None:
        body["content"] = content
    return chunk([{"index": index, "delta": body, "finish_reason": finish}])


def chunk(choices: list[JsonObject], **fields: JsonValue) -> JsonObject:
    """One stream chunk with these choices."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "upstream-model",
        "choices": choices,
        **fields,
    }


def sse(payload: JsonValue) -> bytes:
    """One SSE event that carries this JSON."""
    return b"data: " + encoded(payload) + b"\n\n"


def encoded(payload: JsonValue) -> bytes:
    """Compact JSON; bytes stay as they are."""
    if isinstance(payload, bytes):
        return payload
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def chat_stream(*texts: str, usage: bool = False, finish: str | None = "stop", done: bool = True) -> list[bytes]:
    """A whole stream, one SSE event an item: role, texts, finish, usage on request, `[DONE]`."""
    events = [sse(delta(role="assistant")), *(sse(delta(text)) for text in texts)]
    if finish is not None:
        events.append(sse(delta(finish=finish)))
    if usage:
        events.append(sse(chunk([], usage=USAGE)))
    if done:
        events.append(DONE)
    return events


def halves(text: str) -> list[str]:
    """A text in two events; one for a single character, none for nothing."""
    middle = (len(text) + 1) // 2
    return [half for half in (text[:middle], text[middle:]) if half]


def text_completion(text: str = "hello", **fields: JsonValue) -> JsonObject:
    """A complete unary answer of the legacy format. `fields` replace or add top-level members."""
    return {**text_chunk(text, finish="stop"), "usage": USAGE, **fields}


def text_chunk(text: str, *, index: int = 0, finish: str | None = None) -> JsonObject:
    """One stream chunk of the legacy format with one choice."""
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
    return {**chunk([choice]), "id": "cmpl-1", "object": "text_completion"}


def text_stream(*texts: str, usage: bool = False, finish: str | None = "stop", done: bool = True) -> list[bytes]:
    """A whole stream of the legacy format, one SSE event an item."""
    events = [sse(text_chunk(text)) for text in texts]
    if finish is not None:
        events.append(sse(text_chunk("", finish=finish)))
    if usage:
        events.append(sse({**text_chunk(""), "choices": [], "usage": USAGE}))
    return [*events, DONE] if done else events


def embeddings(*vectors: JsonValue) -> JsonObject:
    """An answer with these vectors."""
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": data, "model": "upstream-model", "usage": usage}


def response(text: str = "hello", **fields: JsonValue) -> JsonObject:
    """A complete answer of the Responses format: one message. `fields` replace or add top-level members."""
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "error": None,
        "model": "upstream-model",
        "output": [item],
        "usage": usage,
        **fields,
    }


def response_stream(*texts: str, end: bool = True) -> list[bytes]:
    """A whole stream of the Responses format, one named event an item; without `end` it stops after the texts."""
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    whole = response("".join(texts))
    item = whole["output"][0]
    frames: list[JsonObject] = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **at, "part": {**item["content"][0], "text": ""}},
        *({"type": "response.output_text.delta", **at, "delta": text, "logprobs": []} for text in texts),
    ]
    if end:
        frames += [
            {"type": "response.output_text.done", **at, "text": "".join(texts), "logprobs": []},
            {"type": "response.content_part.done", **at, "part": item["content"][0]},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
    return [
        b"event: %s\n" % frame["type"].encode() + sse({**frame, "sequence_number": number})
        for number, frame in enumerate(frames)
    ]


def gzip_bomb(size: int) -> bytes:
    """gzip of `size` spaces: about a thousandth of that on the wire."""
    out = io.BytesIO()
    block = b" " * 65536
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as packed:
        for _ in range(size // len(block)):
            packed.write(block)
    return out.getvalue()
