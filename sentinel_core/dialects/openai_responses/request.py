"""Requests: validation of what the gateway relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.dialects.openai_chat.request import MAX_CAP, Bound, check_numbers, envelope, invalid
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_BOUNDS: tuple[Bound, ...] = (
    ("max_output_tokens", int, 1, MAX_CAP),
    ("max_tool_calls", int, 1, 1_000_000),
    ("temperature", (int, float), 0, 2),
    ("top_p", (int, float), 0, 1),
    ("top_logprobs", int, 0, 20),
)


def decode(dialect: Dialect, body: JsonValue) -> Request:
    """Validate a decoded body. Raises `Refusal` with the parameter's name."""
    request = envelope(dialect, body)
    if not isinstance(request.body.get("input"), str | list | None):
        raise invalid("input", "The parameter 'input' must be a string or a list of items.")
    if request.body.get("background"):
        # The answer would be fetched from a route that no guard watches, and that does not exist here.
        raise Refusal("unsupported_parameter", "Responses in the background are not supported.", param="background")
    check_numbers(request.body, _BOUNDS)
    return request
