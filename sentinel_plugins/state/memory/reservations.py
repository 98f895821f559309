"""Open reservations, and ids that were settled before they were admitted."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from sentinel_core.state import Settlement
from sentinel_plugins.state.memory.claims import Part
from sentinel_plugins.state.memory.expiring import Expiring
from sentinel_plugins.state.memory.overflow import Overflow

GONE_TTL_S = 900.0
"""How long an id stays marked as gone: longer than any request that could still be on its way to be admitted."""


_SLACK = 64


class Reservations:
    """What each open reservation took. Where nobody settles it, each part lapses when it ends, and the reservation is
    forgotten with the last one.

    One queue for all of them, in which each has one place: when the next of its parts ends. Places of reservations that
    are settled are skipped when they come up, and the queue is rebuilt before they outnumber the open ones.
    """

    __slots__ = ("_gone", "_max_entries", "_open", "_overflow", "_queue")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._open: dict[str, Sequence[Part]] = {}
        self._queue: list[tuple[float, str]] = []
        self._gone: Expiring[None] = Expiring()
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return len(self._open)

    def full(self) -> bool:
        """There is no room for another open reservation."""
        return len(self._open) >= self._max_entries

    def _expire(self, now: float) -> None:
        """Let lapse what nobody settled in time."""
        queue = self._queue
        while queue and queue[0][0] <= now:
            reservation = heappop(queue)[1]
            for part in self._open.get(reservation, ()):
                if part.ends <= now:
                    part.lapse(now)
            self._wait_for(reservation, now)
        self._gone.expire(now)

    def free(self, reservation: str, now: float) -> bool:
        """Whether this id may be admitted: it is neither open nor gone. What nobody settled in time lapses first."""
        if self._gone.items or (self._queue and self._queue[0][0] <= now):
            self._expire(now)
        return reservation not in self._open and reservation not in self._gone.items

    def open(self, reservation: str, parts: Sequence[Part], first_end: float) -> None:
        """Remember what was taken, until the last of it ends; nothing at all is over already."""
        if not parts:
            return
        opened, queue = self._open, self._queue
        opened[reservation] = parts
        heappush(queue, (first_end, reservation))
        if len(queue) > 2 * len(opened) + _SLACK:
            self._queue = [(min([part.ends for part in parts]), name) for name, parts in opened.items()]
            heapify(self._queue)

    def settle(self, reservation: str, settlement: Settlement, now: float) -> bool:
        """Settle every part, once; False if the id is unknown. What nobody settled in time has lapsed before."""
        if self._gone.items or (self._queue and self._queue[0][0] <= now):
            self._expire(now)
        parts = self._open.pop(reservation, None)
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

    def _wait_for(self, reservation: str, now: float) -> None:
        """Come back when the next part ends; forget the reservation where none is left."""
        rest = [part.ends for part in self._open.get(reservation, ()) if part.ends > now]
        if rest:
            heappush(self._queue, (min(rest), reservation))
        else:
            self._open.pop(reservation, None)
