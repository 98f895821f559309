"""Who guesses: failures per address, so that guesses stop before they reach a store (Z22)."""

from __future__ import annotations

from collections import OrderedDict, deque

from sentinel_core.addresses import network
from sentinel_core.errors import Refusal
from sentinel_core.services import Clock

PERIOD_S = 60.0
MAX_ADDRESSES = 10_000
"""How many addresses are remembered; the one that was silent longest is forgotten."""


class Guessing:
    """At most `limit` failures of one address in any minute, in this process."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def check(self, address: str) -> None:
        """Raise `Refusal` (rate_limit_exceeded) for an address that has failed too often."""
        times = self._failures.get(network(address))
        if times is None or len(times) < self._limit:
            return
        wait_s = times[0] + PERIOD_S - self._clock.monotonic()
        if wait_s > 0:
            raise Refusal("rate_limit_exceeded", "Too many invalid credentials; try again later.", retry_after_s=wait_s)

    def note(self, address: str) -> None:
        """One failure."""
        name = network(address)
        times = self._failures.setdefault(name, deque(maxlen=self._limit))
        times.append(self._clock.monotonic())
        self._failures.move_to_end(name)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)
