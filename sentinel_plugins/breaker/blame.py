"""What a failed call says about its target."""

from __future__ import annotations

from sentinel_core.errors import INVALID_TOOL_ARGUMENTS, UPSTREAM_QUOTA, UpstreamError
from sentinel_plugins.breaker.circuit import Result

DEADLINE_SLACK_S = 0.02
"""A timer for the deadline may fire so much early."""


def blame(error: UpstreamError, *, deadline: float | None, now: float) -> Result:
    """The result to settle with.

    Neutral: what was never sent (a full pool, an inner breaker), 429 and other 4xx (U16, U18), a model's bad JSON in a
    call of a tool, and a timeout at the request's own deadline, which a caller may have chosen shorter than any target
    could keep.
    """
    if error.code == "upstream_auth_error" or error.wire_code == UPSTREAM_QUOTA:
        return "quarantine"
    if not error.attempted or _is_4xx(error.status) or _is_4xx(error.upstream_status or 0):
        return "neutral"
    if error.wire_code == INVALID_TOOL_ARGUMENTS:
        return "neutral"
    if error.code == "upstream_timeout" and is_due(deadline, now):
        return "neutral"
    return "failure"


def is_due(deadline: float | None, now: float) -> bool:
    """Whether the request's own time is up."""
    return deadline is not None and now >= deadline - DEADLINE_SLACK_S


def _is_4xx(status: int) -> bool:
    return 400 <= status < 500
