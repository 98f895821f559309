"""What a failed call says about its target: the one judgement of whoever counts calls."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sentinel_core.errors import INVALID_TOOL_ARGUMENTS, UPSTREAM_QUOTA, StageFault, UpstreamError

Blame: TypeAlias = Literal["failure", "quarantine", "neutral"]
"""`quarantine` is a failure that the next call would meet as well. `neutral` says nothing."""

DEADLINE_SLACK_S = 0.02
"""A timer for the deadline may fire so much early."""


def blame(error: UpstreamError, *, deadline: float | None, now: float, begun: bool = False) -> Blame:
    """What a call says that ended in this error now. `begun`: it had given a stream, which broke off.

    Neutral: what was never sent (a full pool, an open breaker), 429 and other 4xx (U16, U18), a model's bad JSON in a
    call of a tool, and a call that ran out of the request's own time, which a caller may have chosen shorter than any
    target could keep: a timeout at the deadline, or a stream that broke off there.
    """
    if error.code == "upstream_auth_error" or error.wire_code == UPSTREAM_QUOTA:
        return "quarantine"
    if not error.attempted or _is_4xx(error.status) or _is_4xx(error.upstream_status or 0):
        return "neutral"
    if error.wire_code == INVALID_TOOL_ARGUMENTS:
        return "neutral"
    if (begun or error.code == "upstream_timeout") and is_due(deadline, now):
        return "neutral"
    return "failure"


def blame_of(exc: BaseException, *, deadline: float | None, now: float, begun: bool = False) -> Blame | None:
    """What the row of a call says that ended in this: as above, a failure where the provider's own code is at fault,
    and nothing where a request to end was followed or something was refused."""
    if isinstance(exc, UpstreamError):
        return blame(exc, deadline=deadline, now=now, begun=begun)
    return "failure" if isinstance(exc, StageFault) else None


def is_due(deadline: float | None, now: float) -> bool:
    """Whether the request's own time is up."""
    return deadline is not None and now >= deadline - DEADLINE_SLACK_S


def _is_4xx(status: int) -> bool:
    return 400 <= status < 500
