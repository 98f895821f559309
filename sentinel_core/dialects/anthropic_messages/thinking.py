"""Thinking blocks beside `reasoning_content`.

A thinking block must come back unmodified, signature and all, before the results of the tools that it led to. Its text
is in `reasoning_content`, where guards read it and clients show it; `extra_content.anthropic.thinking_blocks` holds the
rest: per block its signature and the length of its text in characters, or a redacted block's data. No text stands
twice, so no guard can be passed by; and text that a guard changed no longer fits, so that its signature is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

BLOCKS = "thinking_blocks"
KINDS = ("thinking", "redacted_thinking")


def parted(blocks: Sequence[JsonMapping]) -> tuple[str, list[JsonObject]]:
    """The text of these thinking blocks, and what else they hold. Raises `Refusal` for one without: an upstream's were
    looked at where its answer was read."""
    if any(block["type"] == "thinking" and "thinking" not in block for block in blocks):
        raise Refusal("invalid_parameter", "A thinking block must have its 'thinking'.", param="messages")
    text = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    return text, [part_of(block) for block in blocks]


def part_of(block: JsonMapping) -> JsonObject:
    """What one block holds beside its text."""
    if block["type"] != "thinking":
        return dict(block)
    rest = {key: value for key, value in block.items() if key != "thinking"}
    return {**rest, "length": len(block["thinking"])}


def joined(text: str, parts: JsonValue) -> list[JsonObject] | None:
    """The blocks as they were; None where text and parts no longer fit, or were never ours."""
    if not isinstance(parts, list):
        return None
    blocks: list[JsonObject] = []
    at = 0
    for part in parts:
        if not isinstance(part, Mapping) or not isinstance(part.get("type"), str) or part["type"] not in KINDS:
            return None
        if part["type"] == "thinking":
            length = part.get("length")
            if not isinstance(length, int) or not part.get("signature"):
                return None
            rest = {key: value for key, value in part.items() if key not in ("type", "length", "index")}
            blocks.append({"type": "thinking", "thinking": text[at : at + length], **rest})
            at += length
        else:
            blocks.append({key: value for key, value in part.items() if key != "index"})
    return blocks if at == len(text) else None


def is_missing(messages: Sequence[JsonMapping]) -> bool:
    """Whether a conversation goes on from a tool call whose thinking is not at hand: made by another model, or by this
    one without it. A budget for thinking is refused then."""
    last = next((turn for turn in reversed(messages) if turn["role"] == "assistant"), None)
    if last is None or isinstance(last["content"], str) or messages[-1] is last:
        return False
    kinds = [block["type"] for block in last["content"]]
    return "tool_use" in kinds and kinds[0] not in KINDS


def without_unsigned(body: JsonMapping) -> tuple[JsonMapping, tuple[str, ...]]:
    """A Messages body without the thoughts of others, and the names of what that costs. They bear the empty signature
    that this gateway gave them, and are refused; so is a budget for thinking where a call of tools is left without any.
    Without such thoughts the body is the same object."""
    messages = [_signed(turn) for turn in body["messages"]]
    if all(new is old for new, old in zip(messages, body["messages"], strict=True)):
        return body, ()
    signed = {**body, "messages": [turn for turn in messages if turn["content"]]}
    thought = body.get("thinking")
    if isinstance(thought, Mapping) and thought.get("type") == "enabled" and is_missing(signed["messages"]):
        del signed["thinking"]
        return signed, ("thinking",)
    return signed, ()


def _signed(turn: JsonMapping) -> JsonMapping:
    content = turn["content"]
    if not isinstance(content, list) or not any(map(_is_unsigned, content)):
        return turn
    return {**turn, "content": [block for block in content if not _is_unsigned(block)]}


def _is_unsigned(block: JsonMapping) -> bool:
    return block["type"] == "thinking" and block.get("signature") == ""
