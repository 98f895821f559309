"""What a failed call says of its target: the one judgement that breakers and success rates share."""

from __future__ import annotations

import pytest

from sentinel_core.blame import Blame, blame
from sentinel_core.errors import INVALID_TOOL_ARGUMENTS, UPSTREAM_QUOTA, UpstreamError

TIMEOUT = UpstreamError("upstream_timeout")
BROKEN = UpstreamError("upstream_stream_interrupted")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UpstreamError("upstream_unreachable"), "failure"),
        (UpstreamError("overloaded", upstream_status=503), "failure"),
        (UpstreamError("upstream_invalid_response"), "failure"),
        (UpstreamError("upstream_auth_error", upstream_status=401), "quarantine"),
        (UpstreamError("overloaded", upstream_status=402, wire_code=UPSTREAM_QUOTA), "quarantine"),
        (UpstreamError("rate_limit_exceeded", upstream_status=429), "neutral"),
        (UpstreamError("invalid_request"), "neutral"),
        (UpstreamError("upstream_error", upstream_status=409), "neutral"),
        (UpstreamError("overloaded", attempted=False), "neutral"),
        (UpstreamError("upstream_invalid_response", wire_code=INVALID_TOOL_ARGUMENTS), "neutral"),
    ],
    ids=lambda value: None if isinstance(value, str) else f"{value.code}-{value.upstream_status}-{value.wire_code}",
)
def test_what_an_error_says(error: UpstreamError, said: Blame) -> None:
    assert blame(error, deadline=None, now=5.0) == said


@pytest.mark.parametrize(("deadline", "said"), [(None, "failure"), (60.0, "failure"), (5.01, "neutral")])
def test_a_timeout_at_the_requests_own_deadline_says_nothing(deadline: float | None, said: Blame) -> None:
    assert blame(TIMEOUT, deadline=deadline, now=5.0) == said


def test_only_a_stream_that_had_begun_runs_out_of_time_by_breaking_off() -> None:
    assert blame(BROKEN, deadline=5.0, now=5.0) == "failure"
    assert blame(BROKEN, deadline=5.0, now=5.0, begun=True) == "neutral"
    assert blame(BROKEN, deadline=60.0, now=5.0, begun=True) == "failure"
