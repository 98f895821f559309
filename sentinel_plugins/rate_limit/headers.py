"""What callers are told of their limits: the tightest window, and OpenAI's headers for requests and tokens.

The names and forms are those of https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers, and of the
older `X-RateLimit-*`, whose reset is seconds since the epoch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sentinel_core.context import ResponseHeaders
from sentinel_core.state import ClaimState
from sentinel_plugins.rate_limit.subjects import Row

DEGRADED_HEADER = "x-sentinel-degraded"

_NAMES = {
    unit: tuple(f"x-ratelimit-{word}-{unit}" for word in ("limit", "remaining", "reset"))
    for unit in ("requests", "tokens")
}


def write(headers: ResponseHeaders, rows: Sequence[Row], states: Sequence[ClaimState], now: float) -> None:
    """Describe the windows of one step. Where none binds, there is nothing to say (C-37)."""
    tightest: dict[str, tuple[Row, ClaimState]] = {}
    for row, state in zip(rows, states, strict=True):
        if row.unit in _NAMES and (row.unit not in tightest or _room(row, state) < _room(*tightest[row.unit])):
            tightest[row.unit] = row, state
    for unit, (row, state) in tightest.items():
        limit, remaining, reset = _NAMES[unit]
        headers[limit] = str(row.limit)
        headers[remaining] = str(state.remaining)
        headers[reset] = duration(state.reset_s)
    if tightest:
        row, state = tightest.get("requests") or tightest["tokens"]
        headers["x-ratelimit-limit"] = str(row.limit)
        headers["x-ratelimit-remaining"] = str(state.remaining)
        headers["x-ratelimit-reset"] = str(math.ceil(now + state.reset_s))


def duration(seconds: float) -> str:
    """As OpenAI writes it: `12ms`, `1.5s`, `6m0s`, `1h2m3s`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{math.ceil(seconds * 10) / 10:g}s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"


def _room(row: Row, state: ClaimState) -> tuple[int, int]:
    return state.remaining, row.limit
