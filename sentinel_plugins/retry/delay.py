"""Whether a failed call is worth repeating at its target, and after which wait."""

from __future__ import annotations

import random

from sentinel_core.errors import MAX_RETRY_AFTER_S, UpstreamError
from sentinel_plugins.retry.config import RetryConfig

REPEATABLE = frozenset(
    {
        "upstream_unreachable",
        "upstream_connection_reset",
        "upstream_invalid_response",
        "upstream_error",
        "upstream_stream_interrupted",
        "overloaded",
        "rate_limit_exceeded",
    }
)
"""What may be gone the next time. A timeout is not in it: a target that was silent for a minute has been paid for a
long prompt, and would be again (U06)."""


def repeatable(error: UpstreamError) -> bool:
    """Whether the same call may go better a moment later. A used-up quota, an answer without end (U22), or a 4xx that
    nobody knows, will not."""
    if error.code not in REPEATABLE or not error.should_retry:
        return False
    if error.retry_after_s is not None and error.retry_after_s > MAX_RETRY_AFTER_S:
        return False
    return error.code != "upstream_error" or not 400 <= (error.upstream_status or 0) < 500


def delay_s(config: RetryConfig, repetition: int, retry_after_s: float | None) -> float:
    """Full jitter: uniform between 0 and a bound that doubles, but never before the upstream's own `Retry-After`.

    Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015. `repetition` counts from 0.
    """
    bound_s = min(config.max_delay_s, config.base_delay_s * 2.0 ** min(repetition, 64))
    return max(random.uniform(0.0, bound_s), retry_after_s or 0.0)  # noqa: S311 - spreads load, keeps no secret
