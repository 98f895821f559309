"""What callers are told of their limits: the tightest window, and OpenAI's headers for requests and tokens.

The names and forms are those of https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers, and of the
older `X-RateLimit-*`, whose reset is seconds since the epoch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from sentinel_core.context import ResponseHeaders
from sentinel_core.state import ClaimState
from sentinel_plugins.rate_limit.rows import Row

DEGRADED_HEADER = "x-sentinel-degraded"

_NAMES = {
    unit: tuple(f"x-ratelimit-{word}-{unit}" for word in ("limit", "remaining", "reset"))
    for unit in ("requests", "tokens")
}


class _Window(msgspec.Struct, frozen=True):
    """One row that is a window: its place among the rows, its limit, and how that is written."""

    place: int
    limit: int
    text: str


class WindowHeaders:
    """How the windows of one caller are described: which rows they are is worked out once."""

    __slots__ = ("_units",)

    def __init__(self, rows: Sequence[Row]) -> None:
        each = {
            names: [_Window(place, row.limit, str(row.limit)) for place, row in enumerate(rows) if row.unit == unit]
            for unit, names in _NAMES.items()
        }
        self._units = tuple((names, windows) for names, windows in each.items() if windows)

    def write(self, headers: ResponseHeaders, states: Sequence[ClaimState], now: float) -> None:
        """Describe the windows of one step: the tightest is the one with the least of its limit left. Where none binds,
        there is nothing to say (C-37)."""
        if not self._units:
            return
        found: dict[str, str] = {}
        least = math.inf
        for (limit, remaining, reset), windows in self._units:
            window = windows[0] if len(windows) == 1 else _tightest(windows, states)
            state = states[window.place]
            left, reset_s = state.remaining, state.reset_s
            found[limit] = window.text
            found[remaining] = rest = str(left)
            found[reset] = duration(reset_s)
            share = left / (window.limit or 1)
            if share < least:
                least, tightest, of_it, wait_s = share, window.text, rest, reset_s
        found["x-ratelimit-limit"] = tightest
        found["x-ratelimit-remaining"] = of_it
        found["x-ratelimit-reset"] = str(math.ceil(now + wait_s))
        headers.put(found)


def _tightest(windows: Sequence[_Window], states: Sequence[ClaimState]) -> _Window:
    return min(windows, key=lambda window: (states[window.place].remaining, window.limit))


@lru_cache  # with sliding logs it is nearly always the whole period
def duration(seconds: float) -> str:
    """As OpenAI writes it: `12ms`, `1.5s`, `6m0s`, `1h2m3s`; never too short."""
    if (milliseconds := math.ceil(seconds * 1000)) < 1000:
        return f"{milliseconds}ms"
    if (tenths := math.ceil(seconds * 10)) < 600:
        return f"{tenths / 10:g}s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s"
