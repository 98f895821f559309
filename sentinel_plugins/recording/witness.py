"""`Witness`: what a process saw for itself, where dates in a store may mislead."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import NamedTuple

from sentinel_core.services import Clock

NEVER = float("-inf")
STEP_S = 1.0
"""How far the wall clock may gain on the monotonic one before that counts as a jump."""

MOST = 1_000
"""How many jumps are remembered."""


class Course(NamedTuple):
    """How far the wall clock is ahead of the monotonic one, and since when on that."""

    since: float
    ahead_s: float


class Witness:
    """What runs in this process, whatever is reloaded, and how its wall clock went.

    A date alone makes no row old: a clock that jumps forward by an hour would age all that is dated by an hour. So what
    was there before a jump is judged by the clock before it until everything has had its time since. What was wrong
    from the start nobody can see.
    """

    def __init__(self) -> None:
        self.running: set[str] = set()
        """By whatever name its rows have in common."""
        self._courses: deque[Course] = deque(maxlen=MOST)
        self._since = float("inf")

    def look(self, clock: Clock) -> float:
        """See how far the wall clock has come; the monotonic time of it. Whoever looks more often misses less."""
        since = now = clock.monotonic()
        self._since = min(self._since, now)
        ahead_s = clock.time() - now
        while self._courses and self._courses[-1].ahead_s >= ahead_s:  # by the lower one nothing is too old
            since = self._courses.pop().since
        if not self._courses or since < now or ahead_s > self._courses[-1].ahead_s + STEP_S:
            self._courses.append(Course(since, ahead_s))
        return now

    def old(self, clock: Clock, age_s: float) -> float:
        """Until which date everything has that age, as far as this process saw."""
        now = self.look(clock)
        over = (one for one, next_ in pairwise(self._courses) if next_.since > now - age_s)
        return now + next(over, self._courses[-1]).ahead_s - age_s

    def seen(self, clock: Clock, age_s: float, over_after_s: float) -> float:
        """The same in a process that has lived for `over_after_s`, when what was there before it is over whatever its
        dates say; `NEVER` in a younger one."""
        old = self.old(clock, age_s)
        return old if clock.monotonic() - self._since >= over_after_s else NEVER
