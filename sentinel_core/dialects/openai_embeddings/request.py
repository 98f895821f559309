"""Embedding requests: validation of what the gateway relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.dialects.openai_chat.request import Bound, check_numbers, envelope, invalid
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_BOUNDS: tuple[Bound, ...] = (("dimensions", int, 1, 1_000_000),)


def decode(dialect: Dialect, body: JsonValue) -> Request:
    """Validate a decoded body. Raises `Refusal` with the parameter's name."""
    request = envelope(dialect, body)
    if request.stream:
        raise invalid("stream", "Embeddings are not streamed.")
    content = request.body.get("input")
    if not isinstance(content, str | list) or content == []:
        raise invalid("input", "The parameter 'input' must be a string or a non-empty list.")
    if not isinstance(request.body.get("encoding_format"), str | None):
        raise invalid("encoding_format", "The parameter 'encoding_format' must be a string.")
    check_numbers(request.body, _BOUNDS)
    return request
