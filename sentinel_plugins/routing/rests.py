"""Targets that named a wait, and how long that lasts."""

from __future__ import annotations

from sentinel_core.errors import MAX_RETRY_AFTER_S, UpstreamError
from sentinel_core.keys import Target
from sentinel_core.services import ServiceKey

MAX_RESTS = 1024
"""Above so many, those that are over are forgotten, and then the oldest: callers may make models up."""


def named_wait_s(error: UpstreamError) -> float:
    """For how many seconds the target asked to be left alone; 0 where it did not."""
    return error.retry_after_s or 0.0 if error.code in ("rate_limit_exceeded", "overloaded") else 0.0


class Rests:
    """Until when a target asked to be left alone. Lives as long as the gateway. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._until: dict[Target, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def rest(self, target: Target, seconds: float, now: float) -> None:
        """Leave it alone for so long; after two minutes it is asked again, whatever it said."""
        self._until[target] = now + min(seconds, MAX_RETRY_AFTER_S)
        if len(self._until) > MAX_RESTS:
            self._until = {known: until for known, until in self._until.items() if until > now}
            while len(self._until) > MAX_RESTS:
                del self._until[next(iter(self._until))]

    def awake(self, targets: tuple[Target, ...], now: float) -> tuple[Target, ...]:
        """Those that may be called; if all rest, the one that wakes first, for somebody has to be asked."""
        if not self._until or not targets:
            return targets
        awake = tuple(target for target in targets if self._until.get(target, 0.0) <= now)
        return awake or (min(targets, key=self._until.__getitem__),)


RESTS: ServiceKey[Rests] = ServiceKey("rests")
"""Which targets asked to be left alone."""
