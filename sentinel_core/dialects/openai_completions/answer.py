"""Unary answers: validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.dialects.openai_chat.answer import decode_object, decode_usage
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect


def decode(dialect: Dialect, raw: bytes) -> Answer:
    """Read an upstream's completion. Raises `UpstreamError` for what is none (U12, U13, U14)."""
    body = decode_object(raw)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not all(_is_choice(choice) for choice in choices):
        raise UpstreamError("upstream_invalid_response")
    usage = decode_usage(body.get("usage"))
    return Answer(dialect=dialect, body=body, operation="completion", raw=raw, usage=usage)


def _is_choice(choice: JsonValue) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("text"), str)
