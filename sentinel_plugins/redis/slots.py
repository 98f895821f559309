"""Which node of a Cluster has which keys."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from redis.crc import key_slot

from sentinel_plugins.redis.address import Address


class Slots:
    """The owners of ranges of slots. Without a range, nobody is `known`."""

    def __init__(self, ranges: Mapping[int, tuple[int, Address]] | None = None) -> None:
        self._ranges = dict(sorted((ranges or {}).items()))
        self._starts = list(self._ranges)
        self._moved: dict[int, Address] = {}
        self.known = bool(self._ranges)

    @classmethod
    def of(cls, reply: Any, asked: Address) -> Slots:  # Any: nested lists, as CLUSTER SLOTS answers
        """From the reply of CLUSTER SLOTS: `[first, last, [host, port, …], replicas …]` for each range.

        An empty host is that of the node that was asked.
        """
        ranges = {}
        for first, last, master, *_ in reply:
            host = master[0].decode() if master[0] else asked.host
            ranges[first] = (last, Address(host, master[1]))
        return cls(ranges)

    def owner(self, key: bytes) -> Address | None:
        """Who has a key, as far as anybody told."""
        slot = key_slot(key)
        if moved := self._moved.get(slot):
            return moved
        at = bisect_right(self._starts, slot) - 1
        if at < 0:
            return None
        last, address = self._ranges[self._starts[at]]
        return address if slot <= last else None

    def move(self, slot: int, address: Address) -> None:
        """A node said that another one has this slot now."""
        self._moved[slot] = address

    def owners(self) -> set[Address]:
        """Every node that has some."""
        return {address for _, address in self._ranges.values()} | set(self._moved.values())
