"""Amounts that reservations hold on one key: the part that leases and budgets share."""

from __future__ import annotations

from sentinel_plugins.state.memory.clock import until


class Holds:
    """Amounts by reservation, each until it is released: by a settlement, or when its time is over. `total` is their
    sum."""

    __slots__ = ("_amounts", "_last_end", "total")

    def __init__(self) -> None:
        self._amounts: dict[str, tuple[int, float]] = {}
        self._last_end = 0.0
        self.total = 0

    def __len__(self) -> int:
        return len(self._amounts)

    def add(self, reservation: str, amount: int, now: float, ttl_s: float) -> float:
        """Hold an amount for so long, at the latest; how long until nothing is held, as `reset` says."""
        amounts, ends = self._amounts, now + ttl_s
        last = ends >= self._last_end or not amounts
        amounts[reservation] = (amount, ends)
        self.total += amount
        if not last:
            return until(self._last_end, now)
        self._last_end = ends
        return ttl_s

    def release(self, reservation: str) -> None:
        """Let go of one amount; nothing happens if it was let go already."""
        held = self._amounts.pop(reservation, None)
        if held is not None:
            self.total -= held[0]

    def wait(self, amount: int, now: float) -> float | None:
        """How long until at least `amount` has ended by itself, None if less than that is held. O(n log n)."""
        for held, ends in sorted(self._amounts.values(), key=lambda held: held[1]):
            amount -= held
            if amount <= 0:
                return until(ends, now)
        return None

    def reset(self, now: float) -> float:
        """How long until nothing is held, at the latest: whoever settles earlier makes it shorter."""
        return until(self._last_end, now) if self._amounts else 0.0
