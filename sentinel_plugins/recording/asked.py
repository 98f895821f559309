"""How much of a table a request to one of its routes asks for."""

from __future__ import annotations

from sentinel_core.endpoints import HttpRequest
from sentinel_core.errors import Refusal

MAX_LIMIT = 200
DEFAULT_LIMIT = 50


def limit(request: HttpRequest) -> int:
    """How many rows. Raises `Refusal` (invalid_parameter)."""
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        message = f"The parameter 'limit' must be a number from 1 to {MAX_LIMIT}."
        raise Refusal("invalid_parameter", message, param="limit")
    return int(text)
