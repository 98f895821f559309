"""Sliding logs: exactly N units in any half-open window of a period (P1: B = N)."""

from __future__ import annotations

from collections import OrderedDict, deque

import msgspec

from sentinel_core.state import ClaimState, Settlement, Window
from sentinel_plugins.state.memory.clock import until
from sentinel_plugins.state.memory.overflow import Overflow

_IDLE_LOGS_PER_STEP = 8


class Entry(msgspec.Struct, gc=False):
    """Units that were admitted together, and when they leave the window."""

    ends: float
    cost: int


class Log:
    """The entries of one window, oldest first, their sum, and when the last of them leaves.

    One log has one period and time never goes back, so entries leave in the order in which they came.
    """

    __slots__ = ("ends", "entries", "used")

    def __init__(self) -> None:
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
    """Every log by (key, period), the least recently admitted first; at most `max_entries` entries in all."""

    __slots__ = ("_entries", "_logs", "_max_entries", "_overflow")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._logs: OrderedDict[tuple[str, float], Log] = OrderedDict()
        self._entries = 0
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return self._entries

    def ask(self, claim: Window, now: float) -> WindowPart:
        """The claim beside its log; a key that was never admitted has none."""
        log = self._logs.get((claim.key, claim.period_s))
        if log is None:
            return WindowPart(self, claim, None, claim.cost <= claim.limit)
        if log.entries and log.entries[0].ends <= now:
            self._entries -= log.expire(now)
        return WindowPart(self, claim, log, log.used + claim.cost <= claim.limit)

    def append(self, claim: Window, log: Log | None, entry: Entry) -> Log:
        """Count an entry; its log is the most recently used one now."""
        place = (claim.key, claim.period_s)
        if log is None:
            self._logs[place] = log = Log()
        else:
            self._logs.move_to_end(place)
        log.entries.append(entry)
        log.ends = entry.ends
        log.used += entry.cost
        self._entries += 1
        return log

    def trim(self, now: float) -> None:
        """Forget logs that ran empty, a few per step, and the least recently used ones beyond the bound."""
        for _ in range(_IDLE_LOGS_PER_STEP):
            oldest = next(iter(self._logs.values()), None)
            if oldest is None or oldest.ends > now:
                break
            self._forget_oldest()
        while self._entries > self._max_entries:
            self._forget_oldest()
            self._overflow.note("rate limits of the least recently active keys start anew")

    def _forget_oldest(self) -> None:
        _, log = self._logs.popitem(last=False)
        self._entries -= len(log.entries)


class WindowPart(msgspec.Struct):
    """A claim beside its log; once taken, an entry whose cost settles to what was used."""

    windows: Windows
    claim: Window
    log: Log | None
    fits: bool
    entry: Entry | None = None
    ends: float = 0.0
    unknown = False

    def take(self, reservation: str, now: float) -> ClaimState:
        """Write the entry."""
        claim = self.claim
        self.ends = now + claim.period_s
        self.entry = entry = Entry(self.ends, claim.cost)
        self.log = log = self.windows.append(claim, self.log, entry)
        return ClaimState(claim.key, claim.limit - log.used, claim.period_s if log.used else 0.0, True)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that are left, and when the window is empty at the latest."""
        claim, log = self.claim, self.log or Log()
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
        for key, units in settlement.units:
            if key == self.claim.key and self.ends > now:
                self._correct(max(0, units))

    def _correct(self, used: int) -> None:
        log, entry = self.log, self.entry
        assert log is not None
        assert entry is not None
        log.used += used - entry.cost
        entry.cost = used

    def lapse(self, now: float) -> None:
        """Nothing to do: entries leave their log by themselves."""
