"""Values and counters with a time to live."""

from __future__ import annotations

from sentinel_plugins.state.memory.expiring import Expiring
from sentinel_plugins.state.memory.overflow import Overflow


class Values:
    """Bytes by key, at most `max_entries`; the least recently used one goes first."""

    __slots__ = ("_items", "_max_entries", "_overflow")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._items: Expiring[bytes] = Expiring()
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: str, now: float) -> bytes | None:
        """The value; reading it is a use."""
        self._items.expire(now)
        value = self._items.get(key)
        if value is not None:
            self._items.touch(key)
        return value

    def set(self, key: str, value: bytes, now: float, ttl_s: float) -> None:
        """Store a value until `now + ttl_s`."""
        self._items.expire(now)
        self._items.put(key, value, now + ttl_s)
        if len(self._items) > self._max_entries:
            self._items.pop_oldest()
            self._overflow.note("the least recently used values are forgotten")

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._items.pop(key)

    def increment(self, key: str, by: int, now: float, ttl_s: float) -> int:
        """Add to a counter; it ends when it would have. ValueError if the key holds something else."""
        present = self.get(key, now)
        if present is None:
            self.set(key, b"%d" % by, now, ttl_s)
            return by
        value = int(present) + by
        self._items.update(key, b"%d" % value)
        return value
