"""Who guesses: failures per address, so that guesses stop before they reach a store (Z22)."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from sentinel_core.addresses import network
from sentinel_core.errors import Refusal
from sentinel_core.latest import Latest
from sentinel_core.services import Clock

Failures: TypeAlias = Latest[str, deque[float]]
"""When each address failed last, in monotonic seconds."""
PERIOD_S = 60.0
MAX_ADDRESSES = 10_000
"""How many addresses are remembered; the one that was silent longest is forgotten."""


class Guessing:
    """At most `limit` failures of one address in any minute, in this process, as far as `failures` goes back."""

    def __init__(self, limit: int, clock: Clock, failures: Failures) -> None:
        self._limit = limit
        self._clock = clock
        self._failures = failures

    def check(self, address: str) -> None:
        """Raise `Refusal` (rate_limit_exceeded) for an address that has failed too often."""
        times = self._failures.get(network(address))
        if times is None or len(times) < self._limit:
            return
        wait_s = times[-self._limit] + PERIOD_S - self._clock.monotonic()
        if wait_s > 0:
            raise Refusal("rate_limit_exceeded", "Too many invalid credentials; try again later.", retry_after_s=wait_s)

    def note(self, address: str) -> None:
        """One failure."""
        name = network(address)
        times = self._failures.get(name, deque())
        times.append(self._clock.monotonic())
        while len(times) > self._limit:
            times.popleft()
        self._failures[name] = times
