"""Embedding answers: validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.decoding import ANY_SIZE, JsonLimits
from sentinel_core.dialects.openai_chat.answer import decode_object, decode_usage
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_LIMITS = JsonLimits(ANY_SIZE, max_nodes=8_000_000)
"""2,048 inputs, the most that OpenAI takes, of 3,072 dimensions each are 6.3 million numbers."""


def decode(dialect: Dialect, raw: bytes) -> Answer:
    """Read an upstream's embeddings. Raises `UpstreamError` for what is none (U12, U13, U14)."""
    body = decode_object(raw, _LIMITS)
    data = body.get("data")
    if not isinstance(data, list) or not data or not all(_is_embedding(item) for item in data):
        raise UpstreamError("upstream_invalid_response")
    usage = body.get("usage")
    if isinstance(usage, dict) and usage.get("completion_tokens") is None:
        usage = {**usage, "completion_tokens": 0}  # nothing is written
    return Answer(dialect=dialect, body=body, operation="embedding", raw=raw, usage=decode_usage(usage))


def _is_embedding(item: JsonValue) -> bool:
    return isinstance(item, dict) and bool(item.get("embedding"))
