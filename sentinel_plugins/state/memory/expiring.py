"""A mapping whose items end by themselves."""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

V = TypeVar("V")

_SLACK = 64


class Expiring(Generic[V]):
    """Items by key, each with the time at which it ends; ordered by use, the least recently put first.

    Every operation takes O(log n) amortised. The queue may hold ends of items that are gone; they are skipped when
    they come up, and the queue is rebuilt before they outnumber the items, so memory follows the items.
    `items` has each with its end, to look at.
    """

    __slots__ = ("_queue", "items")

    def __init__(self) -> None:
        self.items: OrderedDict[str, tuple[V, float]] = OrderedDict()
        self._queue: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, key: str) -> bool:
        return key in self.items

    def get(self, key: str) -> V | None:
        """The item, or None. Call `expire` first: it is what removes items."""
        item = self.items.get(key)
        return None if item is None else item[0]

    def put(self, key: str, value: V, ends: float) -> None:
        """Add or replace an item; it is the most recently used one now."""
        items, queue = self.items, self._queue
        if key in items:
            items.move_to_end(key)
        items[key] = (value, ends)
        heappush(queue, (ends, key))
        if len(queue) > 2 * len(items) + _SLACK:
            self._queue = [(ends, key) for key, (_, ends) in items.items()]
            heapify(self._queue)

    def touch(self, key: str) -> None:
        """This item was used just now."""
        self.items.move_to_end(key)

    def update(self, key: str, value: V) -> None:
        """Another value that ends when the present one would have."""
        self.items[key] = (value, self.items[key][1])
        self.items.move_to_end(key)

    def pop(self, key: str) -> V | None:
        """Remove an item; None if there is none."""
        item = self.items.pop(key, None)
        return None if item is None else item[0]

    def pop_oldest(self) -> None:
        """Remove the item that was used least recently."""
        self.items.popitem(last=False)

    def expire(self, now: float) -> None:
        """Remove what has ended by `now`."""
        queue = self._queue
        while queue and queue[0][0] <= now:
            ends, key = heappop(queue)
            item = self.items.get(key)
            if item is not None and item[1] == ends:
                del self.items[key]
