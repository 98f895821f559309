"""Open reservations, and ids that were settled before they were admitted."""

from __future__ import annotations

from collections.abc import Sequence

from sentinel_core.state import Settlement
from sentinel_plugins.state.memory.claims import Part
from sentinel_plugins.state.memory.expiring import Expiring
from sentinel_plugins.state.memory.overflow import Overflow

GONE_TTL_S = 900.0
"""How long an id stays marked as gone: longer than any request that could still be on its way to be admitted."""


class Reservations:
    """What each open reservation took. One that nobody settles is forgotten when its last part has ended."""

    __slots__ = ("_gone", "_max_entries", "_open", "_overflow")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._open: Expiring[Sequence[Part]] = Expiring()
        self._gone: Expiring[None] = Expiring()
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return len(self._open)

    @property
    def full(self) -> bool:
        """There is no room for another open reservation."""
        return len(self._open.items) >= self._max_entries

    def expire(self, now: float) -> None:
        """Let lapse what nobody settled in time."""
        for parts in self._open.expire(now):
            for part in parts:
                part.lapse(now)
        self._gone.expire(now)

    def free(self, reservation: str) -> bool:
        """Whether this id may be admitted: it is neither open nor gone."""
        return reservation not in self._open.items and reservation not in self._gone.items

    def open(self, reservation: str, parts: Sequence[Part], ends: float) -> None:
        """Remember what was taken, until the last of it ends."""
        self._open.put(reservation, parts, ends)

    def settle(self, reservation: str, settlement: Settlement, now: float) -> bool:
        """Settle every part, once; False if the id is unknown."""
        parts = self._open.pop(reservation)
        if parts is None:
            return False
        for part in parts:
            part.settle(settlement, now)
        return True

    def mark_gone(self, reservation: str, now: float) -> None:
        """This id must not be admitted any more."""
        self._gone.put(reservation, None, now + GONE_TTL_S)
        if len(self._gone) > self._max_entries:
            self._gone.pop_oldest()
            self._overflow.note("requests that ended before they were admitted may be counted")
