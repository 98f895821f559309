"""Sliding logs: exactly N units in any half-open window of a period (P1: B = N)."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

from sentinel_core.state import ClaimState, Settlement, Window
from sentinel_plugins.state.memory.clock import until
from sentinel_plugins.state.memory.overflow import Overflow

_IDLE_LOGS_PER_STEP = 8


@dataclass(slots=True)
class Entry:
    """Units that were admitted together, and when they leave the window."""

    ends: float
    cost: int


class Log:
    """The entries of one window, oldest first, and their sum.

    One log has one period and time never goes back, so entries leave in the order in which they came.
    """

    __slots__ = ("entries", "used")

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.used = 0

    def expire(self, now: float) -> int:
        """Drop what has left the window; how many entries that were. Amortised O(1): each entry leaves once."""
        before = len(self.entries)
        while self.entries and self.entries[0].ends <= now:
            self.used -= self.entries.popleft().cost
        return before - len(self.entries)

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

    def ask(self, claim: Window, now: float) -> WindowAsk:
        """The claim beside its log; a key that was never admitted has none."""
        log = self._logs.get((claim.key, claim.period_s))
        if log is not None:
            self._entries -= log.expire(now)
        return WindowAsk(self, claim, log)

    def append(self, claim: Window, entry: Entry) -> Log:
        """Count an entry; its log is the most recently used one now."""
        place = (claim.key, claim.period_s)
        log = self._logs.setdefault(place, Log())
        self._logs.move_to_end(place)
        log.entries.append(entry)
        log.used += entry.cost
        self._entries += 1
        return log

    def trim(self, now: float) -> None:
        """Forget logs that ran empty, a few per step, and the least recently used ones beyond the bound."""
        for _ in range(_IDLE_LOGS_PER_STEP):
            oldest = next(iter(self._logs.values()), None)
            if oldest is None or (oldest.entries and oldest.entries[-1].ends > now):
                break
            self._forget_oldest()
        while self._entries > self._max_entries:
            self._forget_oldest()
            self._overflow.note("rate limits of the least recently active keys start anew")

    def _forget_oldest(self) -> None:
        _, log = self._logs.popitem(last=False)
        self._entries -= len(log.entries)


@dataclass(slots=True)
class WindowAsk:
    """A window claim beside its log."""

    windows: Windows
    claim: Window
    log: Log | None

    def fits(self) -> bool:
        """Whether the cost fits into the window that ends now."""
        used = self.log.used if self.log else 0
        return used + self.claim.cost <= self.claim.limit

    def take(self, reservation: str, now: float) -> HeldUnits:
        """Write the entry."""
        entry = Entry(now + self.claim.period_s, self.claim.cost)
        self.log = self.windows.append(self.claim, entry)
        return HeldUnits(self.claim.key, self.log, entry)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Units that are left, and when the window is empty at the latest."""
        log, claim = self.log or Log(), self.claim
        return ClaimState(
            key=claim.key,
            remaining=max(0, claim.limit - log.used),
            reset_s=until(log.entries[-1].ends, now) if log.used else 0.0,
            admitted=admitted,
            retry_after_s=None if admitted else log.wait(claim.limit, claim.cost, now),
        )


@dataclass(slots=True)
class HeldUnits:
    """An entry whose cost settles to what was used."""

    key: str
    log: Log
    entry: Entry

    @property
    def ends(self) -> float:
        """When the entry leaves its window."""
        return self.entry.ends

    def settle(self, settlement: Settlement, now: float) -> None:
        """Replace the cost where the settlement names this key; an entry that has left stays gone.

        The cost never goes below zero, so a refund never exceeds what was reserved.
        """
        for key, units in settlement.units:
            if key == self.key and self.ends > now:
                used = max(0, units)
                self.log.used += used - self.entry.cost
                self.entry.cost = used

    def lapse(self, now: float) -> None:
        """Nothing to do: entries leave their log by themselves."""
