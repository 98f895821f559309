"""Sliding logs: exactly N units in any half-open window of a period (P1: B = N)."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TypeAlias

import msgspec

from sentinel_core.state import ClaimState, Settlement, Window
from sentinel_plugins.state.memory.clock import until
from sentinel_plugins.state.memory.overflow import Overflow

_IDLE_LOGS_PER_STEP = 8
_LOOK_S = 1.0
"""How long after a look that found none nobody looks for logs that ran empty."""

Place: TypeAlias = tuple[str, float]
"""A window's key and its period."""


class Entry(msgspec.Struct, gc=False):
    """Units that were admitted together, and when they leave the window."""

    ends: float
    cost: int


class Log:
    """The entries of the window at one place, oldest first, their sum, and when the last of them leaves.

    One log has one period and time never goes back, so entries leave in the order in which they came.
    """

    __slots__ = ("ends", "entries", "place", "used")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.entries: deque[Entry] = deque()
        self.ends = 0.0
        self.used = 0

    def expire(self, now: float) -> int:
        """Drop what has left the window; how many entries that were. Amortised O(1): each entry leaves once."""
        entries, dropped = self.entries, 0
        while entries and entries[0].ends <= now:
            self.used -= entries.popleft().cost
            dropped += 1
        return dropped

    def wait(self, limit: int, cost: int, now: float) -> float | None:
        """How long until `cost` fits, None if it never does. O(entries that must leave before)."""
        excess = self.used + cost - limit
        if cost > limit:
            return None
        for entry in self.entries:
            excess -= entry.cost
            if excess <= 0:
                return until(entry.ends, now)
        return None


class Windows:
    """Every log by its place, the least recently admitted first; at most `max_entries` entries in all."""

    __slots__ = ("_max_entries", "_next_look", "_overflow", "entries", "logs")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self.logs: OrderedDict[Place, Log] = OrderedDict()
        self.entries = 0
        self._next_look = 0.0
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return self.entries

    def ask(self, claim: Window, now: float) -> WindowPart:
        """The claim beside its log; a key that was never admitted has none."""
        place = (claim.key, claim.period_s)
        log = self.logs.get(place)
        if log is None:
            return WindowPart(self, claim, Log(place), claim.cost <= claim.limit)
        if log.entries and log.entries[0].ends <= now:
            self.entries -= log.expire(now)
        return WindowPart(self, claim, log, log.used + claim.cost <= claim.limit)

    def trim(self, now: float) -> None:
        """Forget logs that ran empty, a few per step, and the least recently used ones beyond the bound."""
        if now >= self._next_look:
            for _ in range(_IDLE_LOGS_PER_STEP):
                oldest = next(iter(self.logs.values()), None)
                if oldest is None or oldest.ends > now:
                    self._next_look = now + _LOOK_S
                    break
                self._forget_oldest()
        while self.entries > self._max_entries:
            self._forget_oldest()
            self._overflow.note("rate limits of the least recently active keys start anew")

    def _forget_oldest(self) -> None:
        _, log = self.logs.popitem(last=False)
        self.entries -= len(log.entries)


class WindowPart(msgspec.Struct):
    """A claim beside its log; once taken, an entry whose cost settles to what was used."""

    windows: Windows
    claim: Window
    log: Log
    fits: bool
    entry: Entry | None = None
    ends: float = 0.0

    def take(self, reservation: str, now: float) -> ClaimState:
        """Write the entry; its log is the most recently used one now."""
        claim, log, windows = self.claim, self.log, self.windows
        self.ends = log.ends = ends = now + claim.period_s
        self.entry = entry = Entry(ends, claim.cost)
        log.entries.append(entry)
        log.used = used = log.used + claim.cost
        windows.entries += 1
        try:
            windows.logs.move_to_end(log.place)
        except KeyError:
            windows.logs[log.place] = log
        return ClaimState(claim.key, claim.limit - used, claim.period_s if used else 0.0, True)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that are left, and when the window is empty at the latest."""
        claim, log = self.claim, self.log
        return ClaimState(
            claim.key,
            max(0, claim.limit - log.used),
            until(log.ends, now) if log.used else 0.0,
            admitted,
            None if admitted else log.wait(claim.limit, claim.cost, now),
        )

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace the cost where the settlement names this key; an entry that has left stays gone.

        The cost never goes below zero, so a refund never exceeds what was reserved.
        """
        entry = self.entry
        assert entry is not None, "it was taken"
        for key, units in settlement.units:
            if key == self.claim.key and self.ends > now:
                if units < 0:
                    units = 0
                self.log.used += units - entry.cost
                entry.cost = units

    def lapse(self, now: float) -> None:
        """Nothing to do: entries leave their log by themselves."""
