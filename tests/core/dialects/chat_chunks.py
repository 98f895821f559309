"""Chunks to build streams of, and a stream's way through decoder and encoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue

TOP = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(*choices: JsonObject, **fields: JsonValue) -> bytes:
    """One chunk with these choices."""
    return msgspec.json.encode({**TOP, "choices": list(choices), **fields})


def choice(delta: JsonObject, finish: str | None = None, index: int = 0, **fields: JsonValue) -> JsonObject:
    """One choice of a chunk."""
    return {"index": index, "delta": delta, **fields, "finish_reason": finish}


def decode(*payloads: bytes) -> list[Event]:
    """The events of one stream."""
    decoder = OPENAI_CHAT.stream_decoder()
    return [event for payload in payloads for event in decoder.decode(payload)]


def encode(events: Iterable[Event], *, asked: bool = True) -> list[JsonValue]:
    """What a client reads of these events, decoded."""
    return [msgspec.json.decode(payload) for payload in payloads(events, asked=asked)]


def payloads(events: Iterable[Event], *, asked: bool = True) -> Sequence[bytes]:
    """What a client reads of these events, without SSE framing; `asked` is the client's include_usage."""
    body: JsonObject = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    if asked:
        body["stream_options"] = {"include_usage": True}
    encoder = OPENAI_CHAT.stream_encoder(OPENAI_CHAT.decode_request(body))
    wire = b"".join(encoder.encode(event) for event in events) + encoder.finish()
    *frames, done, rest = wire.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert all(frame.startswith(b"data: ") and b"\n" not in frame and b"\r" not in frame for frame in frames)
    return [frame.removeprefix(b"data: ") for frame in frames]
