"""Unary answers: validation, lossless re-encoding, patching of changed texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sentinel_core.decoding import ANSWER_LIMITS, decode_reply
from sentinel_core.dialects.anthropic_messages.errors import reported_error
from sentinel_core.dialects.anthropic_messages.words import counts, usage_of
from sentinel_core.dialects.slots import Path, patched
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_NEEDS = {"tool_use": ("input", dict), "thinking": ("thinking", str)}
"""Blocks that are none without a member of this type."""


def decode_object(raw: bytes) -> JsonObject:
    """An upstream's JSON object. Raises `UpstreamError` for anything else, and for an error in it (U12, U13)."""
    body = decode_reply(raw, ANSWER_LIMITS)
    if body.get("type") == "error" or body.get("error"):
        raise reported_error(body)
    return body


def decode(dialect: Dialect, raw: bytes) -> Answer:
    """Read an upstream's message. Raises `UpstreamError` for what is none (U12, U13, U14)."""
    body = decode_object(raw)
    content = body.get("content")
    if not isinstance(content, list) or not all(_is_block(block) for block in content):
        raise UpstreamError("upstream_invalid_response")
    if not isinstance(body.get("stop_reason"), str):
        raise UpstreamError("upstream_invalid_response")
    return Answer(dialect=dialect, body=body, raw=raw, usage=usage_of(counts(body.get("usage"))))


def patch(body: JsonMapping, texts: Mapping[Path, str]) -> JsonMapping:
    """The body with other texts. Citations quote the text again and a signature vouches for it: both go with it."""
    result: JsonObject = patched(body, texts)
    changed = {path[1] for path in texts if len(path) == 3 and path[0] == "content" and path[2] in ("text", "thinking")}
    if not changed:
        return result
    content = list(result["content"])
    for position in changed:
        if isinstance(position, int):
            content[position] = _without_copies(content[position])
    return {**result, "content": content}


def _without_copies(block: JsonObject) -> JsonObject:
    block = dict(block)
    if block.get("citations"):
        block["citations"] = None
    if block.get("signature"):
        block["signature"] = ""
    return block


def _is_block(block: JsonValue) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return False
    key, form = _NEEDS.get(block["type"], ("type", str))
    return isinstance(block.get(key), form)
