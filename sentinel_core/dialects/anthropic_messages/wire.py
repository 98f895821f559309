"""Single frames of a Messages stream, as bytes and as bodies. Every event has a name: clients drop those without."""

from __future__ import annotations

import re
import secrets

from sentinel_core.dialects.call_ids import made_of
from sentinel_core.events import TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonObject

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def sse(name: str, payload: bytes) -> bytes:
    """One event on the wire. A name that could break its line is an upstream's own and is not passed on."""
    safe = name if _NAME.fullmatch(name) else "message"
    return b"event: " + safe.encode("ascii") + b"\ndata: " + payload + b"\n\n"


def message_start(identifier: str, model: str) -> JsonObject:
    """The body of the event that opens a message. Its counts are known at the end."""
    message: JsonObject = {
        "id": identifier,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    return {"type": "message_start", "message": message}


def opened_block(event: TextEvent) -> JsonObject:
    """The empty block that this text begins. A refusal is said in the open: the format has no channel for it."""
    if isinstance(event, ToolCallDelta):
        identifier = event.id or call_id(seed_of(None), event.index)
        return {"type": call_type(event), "id": identifier, "name": event.name or "", "input": {}}
    if event.channel == "reasoning":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def seed_of(answer_id: object) -> str:
    """What the ids of one answer's calls are made of. An answer without an id of its own gets a random one."""
    return str(answer_id or secrets.token_hex(16))


def call_id(seed: str, number: int) -> str:
    """The id of a call that came without one: the same wherever this answer is written, and no other's in a
    conversation."""
    return made_of(f"{seed}/{number}")


def call_type(event: ToolCallDelta) -> str:
    """The type of the block that a call begins: numbers below zero are those of tools that the provider calls."""
    return "tool_use" if event.index >= 0 else "server_tool_use"


def delta(event: TextEvent) -> JsonObject:
    """A fragment of text in its block."""
    if isinstance(event, ToolCallDelta):
        return {"type": "input_json_delta", "partial_json": event.text}
    if event.channel == "reasoning":
        return {"type": "thinking_delta", "thinking": event.text}
    return {"type": "text_delta", "text": event.text}
