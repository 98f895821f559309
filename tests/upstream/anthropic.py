"""Bodies and stream events as Anthropic's Messages API writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.upstream.payloads import encoded

MESSAGE_USAGE = {"input_tokens": 3, "output_tokens": 2}


def message(*blocks: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:  # JSON
    """A complete unary answer; strings are blocks of text. `fields` replace or add top-level members."""
    content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks or ("hello",)]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-upstream",
        "content": content,
        "stop_reason": "tool_use" if any(block["type"] == "tool_use" for block in content) else "end_turn",
        "stop_sequence": None,
        "usage": MESSAGE_USAGE,
        **fields,
    }


def named(body: dict[str, Any]) -> bytes:  # JSON
    """One event of a stream, under its type as a name."""
    return b"event: " + str(body["type"]).encode() + b"\ndata: " + encoded(body) + b"\n\n"


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[bytes]:
    """One content block of a stream: its start, its deltas, its end."""
    return [
        named({"type": "content_block_start", "index": index, "content_block": start}),
        *(named({"type": "content_block_delta", "index": index, "delta": delta}) for delta in deltas),
        named({"type": "content_block_stop", "index": index}),
    ]


def text_block(index: int, *texts: str) -> list[bytes]:
    """A block of text."""
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in texts))


def thinking_block(index: int, *texts: str, signature: str = "sig") -> list[bytes]:
    """A block of thinking, with its signature at the end."""
    deltas = [{"type": "thinking_delta", "thinking": text} for text in texts]
    start = {"type": "thinking", "thinking": "", "signature": ""}
    return block(index, start, *deltas, {"type": "signature_delta", "signature": signature})


def tool_block(index: int, identifier: str, name: str, *fragments: str) -> list[bytes]:
    """A block that calls a tool; the fragments are its input's JSON."""
    start = {"type": "tool_use", "id": identifier, "name": name, "input": {}}
    return block(index, start, *({"type": "input_json_delta", "partial_json": part} for part in fragments))


def opening(**usage: Any) -> bytes:  # JSON
    """The event that opens a stream."""
    body = message(content=[], stop_reason=None, usage={"input_tokens": 3, "output_tokens": 1, **usage})
    return named({"type": "message_start", "message": body})


def ending(reason: str | None = "end_turn", **usage: Any) -> list[bytes]:  # JSON
    """The two events that end a stream."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        named({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 2, **usage}}),
        named({"type": "message_stop"}),
    ]


def message_stream(*texts: str, blocks: Sequence[Sequence[bytes]] = (), reason: str = "end_turn") -> list[bytes]:
    """A whole stream, one SSE event an item: one block of text, or these blocks."""
    body = [event for part in blocks or (text_block(0, *(texts or ("hello",))),) for event in part]
    return [opening(), named({"type": "ping"}), *body, *ending(reason)]
