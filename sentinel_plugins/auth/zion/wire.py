"""What Zion sends: `{"success": true, "data": …}` with camel-case names. Unknown fields are left alone."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

INPUT_TOKENS = "ai_input_tokens"
OUTPUT_TOKENS = "ai_output_tokens"
REQUESTS = "ai_requests"


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """Around every answer."""

    data: T
    success: bool = True


class ZionUser(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/v1/users/me`. `external_id` is by whom limits and usage are kept."""

    external_id: str
    email: str = ""


class ZionLimit(msgspec.Struct, frozen=True, rename="camel"):
    """One limit of `GET /api/v1/limits/external/{id}`: what may be used in the present period, and what is left."""

    name: str
    limit: float | None = None
    used: float = 0
    remaining: float | None = None
    reset_period: str = "NEVER"
    period_end: str | None = None

    def left(self) -> float | None:
        """How much is left; None where nothing is limited."""
        if self.remaining is not None:
            return self.remaining
        return None if self.limit is None else self.limit - self.used
