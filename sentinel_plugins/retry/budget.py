"""How much of the traffic may be repetition, so that retries never make an outage worse."""

from __future__ import annotations

from collections import deque

from sentinel_core.services import ServiceKey

ALWAYS = 3
"""Repetitions that are allowed however little traffic there is."""

WINDOW_S = 10
"""The traffic that counts, in whole seconds."""


class RetryBudget:
    """A share of what is in flight may be repetitions at any time, and the same share of what came in over the last
    ten seconds; three either way.

    The first bound holds in a burst, the second one in a long outage of a target that fails fast, where repetitions
    are over before they can be seen beside each other (P10). Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._in_flight = 0
        self._repeating = 0
        self._requests = Tally()
        self._repetitions = Tally()

    def enter(self, now: float, *, first: bool) -> None:
        """A call begins; `first` unless its request has called another target before."""
        self._in_flight += 1
        if first:
            self._requests.add(now)

    def leave(self) -> None:
        """A call, or the stream it gave, is over."""
        self._in_flight -= 1

    def draw(self, now: float, share: float) -> bool:
        """Whether one more repetition is allowed. If so, `give_back` follows once it is over."""
        lately = self._repetitions.count(now) + 1 <= ALWAYS + share * self._requests.count(now)
        if not lately or self._repeating >= max(ALWAYS, share * self._in_flight):
            return False
        self._repeating += 1
        self._repetitions.add(now)
        return True

    def give_back(self) -> None:
        """A repetition is over."""
        self._repeating -= 1


BUDGET: ServiceKey[RetryBudget] = ServiceKey("retry_budget")
"""What the process may still repeat."""


class Tally:
    """How many of something there were in the last seconds."""

    __slots__ = ("_seconds", "_total")

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()  # [second, count]
        self._total = 0

    def add(self, now: float) -> None:
        """One more."""
        self._forget(now)
        second = int(now)
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append([second, 0])
        self._seconds[-1][1] += 1
        self._total += 1

    def count(self, now: float) -> int:
        """How many there were."""
        self._forget(now)
        return self._total

    def _forget(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= int(now) - WINDOW_S:
            self._total -= self._seconds.popleft()[1]
