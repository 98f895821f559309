"""Bodies and stream frames as an OpenAI-compatible upstream writes them."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def completion(text: str = "hello", **fields: Any) -> dict[str, Any]:  # JSON
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


def delta(content: str | None = None, *, index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One stream chunk with one choice; `fields` are further members of its delta (role, tool_calls, ...)."""
    body = dict(fields)
    if content is not None:
        body["content"] = content
    return chunk([{"index": index, "delta": body, "finish_reason": finish}])


def chunk(choices: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """One stream chunk with these choices."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "upstream-model",
        "choices": choices,
        **fields,
    }


def sse(payload: Any) -> bytes:  # JSON
    """One SSE event that carries this JSON."""
    return b"data: " + encoded(payload) + b"\n\n"


def encoded(payload: Any) -> bytes:  # JSON
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


def gzip_bomb(size: int) -> bytes:
    """gzip of `size` spaces: about a thousandth of that on the wire."""
    out = io.BytesIO()
    block = b" " * 65536
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as packed:
        for _ in range(size // len(block)):
            packed.write(block)
    return out.getvalue()
