"""What Zion sends: `{"success": true, "data": …}` with camel-case names. Unknown fields are left alone."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

INPUT_TOKENS = "ai_input_tokens"
OUTPUT_TOKENS = "ai_output_tokens"
REQUESTS = "ai_requests"
COUNTED = frozenset({INPUT_TOKENS, OUTPUT_TOKENS, REQUESTS})
"""The limits of what is used here. Zion may have others, of what is used elsewhere."""


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """Around every answer."""

    data: T
    success: bool = True


class ZionUser(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/v1/users/me`. `external_id` is by whom limits and usage are kept."""

    external_id: str
    email: str | None = None


class ZionLimit(msgspec.Struct, frozen=True, rename="camel"):
    """One limit of `GET /api/v1/limits/external/{id}`: what may be used in the present period, and what is left."""

    name: str
    limit: float | None = None
    used: float | None = None
    remaining: float | None = None
    reset_period: str | None = "NEVER"
    period_end: str | None = None

    def left(self) -> float | None:
        """How much is left; None where nothing is limited."""
        if self.remaining is not None:
            return self.remaining
        return None if self.limit is None else self.limit - (self.used or 0)
