"""How much of a table a request to one of its routes asks for."""

from __future__ import annotations

from sentinel_core.endpoints import HttpRequest
from sentinel_core.errors import Refusal

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_DIGITS = 9


def limit(request: HttpRequest, most: int = MAX_LIMIT) -> int:
    """How many rows, of `most` at a time. Raises `Refusal` (invalid_parameter)."""
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    found = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0
    if not 1 <= found <= most:
        message = f"The parameter 'limit' must be a number from 1 to {most}."
        raise Refusal("invalid_parameter", message, param="limit")
    return found
