"""Time as the store counts it."""

from __future__ import annotations

import math
from collections.abc import Callable


class SteadyClock:
    """Seconds that never go back, from a clock that might (P1: the clock may jump).

    A jump back costs nothing: time goes on from where it was. A jump forward cannot be told from waiting.
    """

    __slots__ = ("_clock", "_lost", "_seen", "_time")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen = self._time = clock()
        self._lost = 0.0

    def now(self) -> float:
        """The time now; never less than the last answer."""
        clock = self._clock
        raw = clock()
        if raw >= self._seen and not self._lost:
            self._seen = self._time = raw
            return raw
        if raw < self._seen:
            self._lost += self._seen - raw
        self._seen = raw
        time = raw + self._lost
        if time > self._time:  # adding what was lost may round down by one step of the float
            self._time = time
        return self._time


def until(moment: float, now: float) -> float:
    """The shortest wait after which a clock that shows `now` shows at least `moment`, rounding included."""
    wait = moment - now
    if wait <= 0.0:
        return 0.0
    while now + wait < moment:
        wait = math.nextafter(wait, math.inf)
    return wait


def microseconds(seconds: float) -> int:
    """The nearest whole microsecond: for algorithms that count in integers."""
    return round(seconds * 1e6)


def wait_for(moment: int, now: float) -> float:
    """The shortest wait after which a clock that shows `now` shows at least `moment` in whole microseconds."""
    return until(moment / 1e6, now)
