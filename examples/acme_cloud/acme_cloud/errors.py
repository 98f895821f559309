"""What Acme's error responses mean: `{"problem": {"kind": …, "text": …}}`."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.openai_chat.errors import upstream_error
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue

_CODES = {"too_long": "context_length_exceeded", "improper": "content_filter", "unpaid": "insufficient_quota"}
"""Acme's words for what OpenAI has a code for: `routing` falls back by these."""


def acme_error(status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
    """The error that OpenAI would have sent with this status. Whose fault it is, whether it is repeated, and what
    becomes of the circuit follows from there (docs/reference/faults.md)."""
    problem = body.get("problem") if isinstance(body, Mapping) else None
    problem = problem if isinstance(problem, Mapping) else {}
    kind = problem.get("kind")
    error = {"message": problem.get("text"), "code": _CODES.get(kind) if isinstance(kind, str) else None}
    return upstream_error(status, {"error": error}, retry_after_s=retry_after_s)
