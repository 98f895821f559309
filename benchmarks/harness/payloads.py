"""The bodies that every benchmark sends and the mock answers with: sizes are part of the published setting."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

REQUEST_BYTES: Final = 592
ANSWER_BYTES: Final = 744
MODEL: Final = "bench"
PATH: Final = "/v1/chat/completions"
CREATED: Final = 1_700_000_000
PROSE: Final = "the quick brown fox jumps over the lazy dog and "
"""What requests and answers say, over and over; of a stream, a word in each event."""

Json = Mapping[str, object]


def _padded(body: Json, size: int) -> bytes:
    """`body` as compact JSON, its mark `@` grown into prose until it has exactly `size` bytes."""
    text = json.dumps(body, separators=(",", ":"))
    room = size - len(text) + 1
    return text.replace("@", (PROSE * 20)[: room - 1] + ".").encode()


def request_body(*, stream: bool = False) -> bytes:
    """A chat request of `REQUEST_BYTES` bytes."""
    body: dict[str, object] = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "@"},
        ],
        "temperature": 0.7,
        "max_tokens": 256,
    }
    if stream:
        body["stream"] = True
    return _padded(body, REQUEST_BYTES)


def answer_body() -> bytes:
    """A chat completion of `ANSWER_BYTES` bytes."""
    message = {"role": "assistant", "content": "@", "refusal": None}
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 96, "completion_tokens": 84, "total_tokens": 180},
    }
    return _padded(body, ANSWER_BYTES)


def chunk(delta: Json | None, finish: str | None = None, usage: Json | None = None) -> bytes:
    """One SSE event of a chat stream; without a delta, the usage chunk with its empty list of choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    body: dict[str, object] = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "choices": choices,
    }
    if usage is not None:
        body["usage"] = usage
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


FIRST_CONTENT: Final = b'"content":" '
"""What a client looks for to know that the first content is in. The word behind the space may be held by a guard."""
STREAM_FLAG: Final = re.compile(rb'"stream"\s*:\s*true')
USAGE_FLAG: Final = re.compile(rb'"include_usage"\s*:\s*true')


HEADERS: Final[Mapping[str, str]] = {"content-type": "application/json", "authorization": "Bearer sk-bench"}


def http_request(port: int, body: bytes, extra: Mapping[str, str]) -> bytes:
    """`body` as a complete HTTP/1.1 request on a kept connection."""
    headers = {"host": f"127.0.0.1:{port}", **HEADERS, **extra, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body
