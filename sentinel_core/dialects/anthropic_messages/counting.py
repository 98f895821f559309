"""Counting a prompt's tokens: a Messages request, and an answer that is one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.dialects.anthropic_messages import answer, request
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.dialects.token_counts import is_count
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Answer, Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect


def decode_request(dialect: Dialect, body: JsonValue) -> Request:
    """Validate a client's body. Raises `Refusal` (400)."""
    decoded = request.decode(dialect, body)
    if decoded.stream:
        raise invalid("stream", "Token counts are not streamed.")
    return decoded


def decode_answer(dialect: Dialect, raw: bytes) -> Answer:
    """A count. Raises `UpstreamError`."""
    body = answer.decode_object(raw)
    if not is_count(body.get("input_tokens")):
        raise UpstreamError("upstream_invalid_response")
    return Answer(dialect=dialect, body=body, operation=dialect.operation, raw=raw)
