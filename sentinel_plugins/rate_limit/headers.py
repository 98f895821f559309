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


def write(headers: ResponseHeaders, rows: Sequence[Row], states: Sequence[ClaimState], now: float) -> None:
    """Describe the windows of one step. Where none binds, there is nothing to say (C-37)."""
    tightest: tuple[Row, ClaimState] | None = None
    for unit in ("tokens", "requests"):
        found = [pair for pair in zip(rows, states, strict=True) if pair[0].unit == unit]
        if not found:
            continue
        tightest = row, state = min(found, key=_room)
        headers[f"x-ratelimit-limit-{unit}"] = str(row.limit)
        headers[f"x-ratelimit-remaining-{unit}"] = str(state.remaining)
        headers[f"x-ratelimit-reset-{unit}"] = duration(state.reset_s)
    if tightest is not None:
        row, state = tightest
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


def _room(pair: tuple[Row, ClaimState]) -> tuple[int, int]:
    row, state = pair
    return state.remaining, row.limit
