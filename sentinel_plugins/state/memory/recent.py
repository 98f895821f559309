"""What is kept per key: the least recently used goes first, and what counts nothing any more goes by itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from sentinel_plugins.state.memory.overflow import Overflow

_IDLE_PER_STEP = 8


class Counted(Protocol):
    """A few numbers that count nothing after a while."""

    def idle(self, now: float) -> bool:
        """Whether forgetting it would change no answer."""
        ...


C = TypeVar("C", bound=Counted)


class Recent(Generic[C]):
    """At most `max_entries` of them by place."""

    __slots__ = ("_items", "_max_entries", "_overflow")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._items: OrderedDict[Hashable, C] = OrderedDict()
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return len(self._items)

    def get(self, place: Hashable) -> C | None:
        """What is kept for a place."""
        return self._items.get(place)

    def keep(self, place: Hashable, item: C, now: float) -> None:
        """It is the most recently used one now."""
        if place in self._items:
            self._items.move_to_end(place)
        self._items[place] = item
        self._trim(now)

    def _trim(self, now: float) -> None:
        """Forget what is idle, a few per step, and the least recently used ones beyond the bound."""
        for _ in range(_IDLE_PER_STEP):
            oldest = next(iter(self._items.values()), None)
            if oldest is None or not oldest.idle(now):
                break
            self._items.popitem(last=False)
        while len(self._items) > self._max_entries:
            self._items.popitem(last=False)
            self._overflow.note("rate limits of the least recently active keys start anew")
