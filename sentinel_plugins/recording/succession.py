"""Journals that follow each other: what one leaves when it ends is the next one's to write, as after a reload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sentinel_core.records import Record, RecordStore

CLOSE_S = 4.0
"""How long the end of a process may wait for a store that does not answer: the supervisor kills it after five."""


class Heir(Protocol):
    """A journal, as those know it that end before it."""

    @property
    def table(self) -> str:
        """Where its rows are."""
        ...

    def inherit(self, groups: Sequence[Sequence[Record]], dropped: int) -> None:
        """Write these groups as they are, before its own; so many rows were dropped already."""
        ...


class Succession:
    """The open journals of one store, the oldest first."""

    def __init__(self) -> None:
        self._open: list[Heir] = []
        self._until: float | None = None

    def enter(self, journal: Heir) -> None:
        """A journal begins."""
        self._open.append(journal)
        self._until = None

    def leave(self, journal: Heir) -> None:
        """A journal has ended."""
        self._open.remove(journal)

    def heir(self, journal: Heir) -> Heir | None:
        """Who follows a journal: the newest one of its table, if that was opened after it."""
        newest = next(other for other in reversed(self._open) if other.table == journal.table)
        return newest if newest is not journal else None

    def until(self, now: float) -> float:
        """How long those may try that nobody follows: they have `CLOSE_S` together, from the first one's need on."""
        if self._until is None:
            self._until = now + CLOSE_S
        return self._until

    def __len__(self) -> int:
        return len(self._open)


_successions: dict[int, Succession] = {}
"""Of each store that has open journals, by its identity. Generations of a gateway have nothing else in common."""


@contextmanager
def among_others(journal: Heir, records: RecordStore) -> Iterator[Succession]:
    """The journals of a store, with this one among them."""
    succession = _successions.setdefault(id(records), Succession())
    succession.enter(journal)
    try:
        yield succession
    finally:
        succession.leave(journal)
        if not succession:
            del _successions[id(records)]
