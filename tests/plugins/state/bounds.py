"""What docs/reference/state.md promises of each algorithm, read from there, and an adversary who tries to get more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from hypothesis import strategies as st

from sentinel_core.state import Algorithm, Settlement, Window, state_key
from tests.plugins.state.drivers import Driver
from tests.plugins.state.store_machine import TICK
from tests.products import products
from tests.promises.tree import page

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
ROW = re.compile(r"^\| `(\w+)` \| `([\w +*-]+)` \| `([\w -]+)` \|", re.MULTILINE)
PUBLISHED: Mapping[str, tuple[str, str]] = {
    row[1]: (row[2], row[3]) for row in ROW.finditer(page("docs/reference/state.md"))
}
"""By algorithm: the most units in a period, and the steady stream that is let through."""
PERIOD = 64 * TICK
KEY = state_key("acme", "units")


def window(algorithm: Algorithm, limit: int, cost: int = 1, burst: int | None = None) -> Window:
    """A claim of a period."""
    return Window(KEY, limit, 1.0, cost, algorithm, burst)


def bound(claim: Window) -> int:
    """The most units in any half-open period, as published."""
    return _published(claim, 0)


def steady(claim: Window) -> int:
    """So many units a period, evenly spaced, are all let through, as published."""
    return _published(claim, 1)


def _published(claim: Window, column: int) -> int:
    found: int = eval(PUBLISHED[claim.algorithm][column], {"limit": claim.limit, "burst": claim.depth})
    return found


class Move(NamedTuple):
    """What the adversary does next: wait, take all it can get in portions, settle some of what is open for less, take
    what that gave it back, and set the clock back."""

    pause: int
    back: int
    cost: int
    settles: Literal["nothing", "newest", "oldest"] = "nothing"
    used: int = 0


PAUSES = [TICK * ticks for ticks in (0, 0, 1, 2, 16, 32, 62, 63, 64, 65)]
MOVES = st.lists(
    products(Move, PAUSES, [0, 0, 0, TICK, PERIOD], range(1, 5), ["nothing", "newest", "oldest"], range(5)),
    min_size=3,
    max_size=20,
)


class Adversary:
    """Makes moves against a store, and writes down what it got when."""

    def __init__(self, store: Driver) -> None:
        self._store = store
        self._now = 0
        self._open: list[tuple[str, Window]] = []
        self._units: dict[str, tuple[int, int]] = {}

    def play(self, claims: Sequence[Window], moves: Sequence[Move]) -> None:
        """Each move asks with its claim."""
        for claim, move in zip(claims, moves, strict=True):
            self._now += move.pause
            self._store.move_clock(move.pause)
            self._take(claim)
            if move.settles != "nothing" and self._open:
                self._settle(-1 if move.settles == "newest" else 0, move.used)
                self._take(claim)
            self._store.move_clock(-move.back)

    def _take(self, claim: Window) -> None:
        while self.ask(claim):
            continue

    def ask(self, claim: Window) -> bool:
        """Whether it is admitted."""
        reservation = state_key("acme", str(len(self._units)))
        admitted = self._store.ask((reservation, [claim]))[0].admitted
        self._units[reservation] = (self._now, claim.cost if admitted else 0)
        if admitted:
            self._open.append((reservation, claim))
        return admitted

    def most(self) -> int:
        """The most units that it used in any half-open period, by the time that really passed."""
        taken = list(self._units.values())
        return max(sum(units for at, units in taken if start <= at < start + PERIOD) for start, _ in taken)

    def _settle(self, which: int, used: int) -> None:
        reservation, claim = self._open.pop(which)
        units = min(used, claim.cost)
        if self._store.tell(reservation, Settlement(units=((KEY, units),))) == "settled":
            self._units[reservation] = (self._units[reservation][0], units)
