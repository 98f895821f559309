"""When what has begun and has no end is taken for lost."""

from __future__ import annotations

from collections.abc import Iterator

from sentinel_core.config import ServerSettings, Settings
from sentinel_core.errors import ConfigProblem

LOST = "gateway_lost"
"""The error of what began and has no end: its process died."""
TIMES = 10
"""How often within the time after which it is lost it is looked for."""
AT_MOST_S = 60.0
MARGIN_S = 60.0
"""How long what ends at its limit has to be written."""


def looked_for_every_s(lost_after_s: float) -> float:
    """How many seconds there are between two looks for what is lost after so many."""
    return min(AT_MOST_S, lost_after_s / TIMES)


def over_after_s(lost_after_s: float, server: ServerSettings) -> float:
    """How many seconds a process lives until all that ran when it began is over."""
    return min(lost_after_s, server.request_timeout_s + MARGIN_S)


def lost_while_running(table: str, lost_after_s: float, settings: Settings) -> Iterator[ConfigProblem]:
    """A problem where a request that still runs would be taken for lost. Times are seconds."""
    longest_s = settings.server.request_timeout_s
    if lost_after_s <= longest_s:
        yield ConfigProblem(
            "a request that is still running would be taken for lost",
            table=table,
            key="lost_after_s",
            found=f"{lost_after_s:g}",
            expected=f"more than {longest_s:g}, the request_timeout_s of [server]",
        )
