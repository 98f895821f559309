"""Amounts that reservations hold on one key: the part that leases and budgets share."""

from __future__ import annotations

from sentinel_plugins.state.memory.clock import until
from sentinel_plugins.state.memory.expiring import Expiring


class Holds:
    """Amounts by reservation, each until it is released or its time is over. `total` is their sum."""

    __slots__ = ("_amounts", "_last_end", "total")

    def __init__(self) -> None:
        self._amounts: Expiring[int] = Expiring()
        self._last_end = 0.0
        self.total = 0

    def __len__(self) -> int:
        return len(self._amounts.items)

    def expire(self, now: float) -> None:
        """Let go of what nobody released in time."""
        ended = self._amounts.expire(now)
        if ended:
            self.total -= sum(ended)

    def add(self, reservation: str, amount: int, ends: float) -> None:
        """Hold an amount until `ends`."""
        if ends > self._last_end or not self._amounts.items:
            self._last_end = ends
        self._amounts.put(reservation, amount, ends)
        self.total += amount

    def release(self, reservation: str) -> None:
        """Let go of one amount; nothing happens if its time was over already."""
        self.total -= self._amounts.pop(reservation) or 0

    def wait(self, amount: int, now: float) -> float | None:
        """How long until at least `amount` has ended by itself, None if less than that is held. O(n log n)."""
        for held, ends in self._amounts.by_end():
            amount -= held
            if amount <= 0:
                return until(ends, now)
        return None

    def reset(self, now: float) -> float:
        """How long until nothing is held, at the latest: whoever settles earlier makes it shorter."""
        return until(self._last_end, now) if self._amounts.items else 0.0
