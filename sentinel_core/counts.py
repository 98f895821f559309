"""What is counted: numbers of one process that only grow, for whoever shows them.

A part of the gateway binds its counts once and adds to plain integers; who reads them, and how they are written, is
not its concern. Stages find the `Counts` of the process in `Services.counts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Protocol, runtime_checkable

MOST = 1_000
OTHER = "other"
"""Where values are counted for which a family has no room."""


class Count:
    """One number. `count.value += 1` is all that counting costs."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Family:
    """Counts of one name, one for each combination of its labels' values.

    Values belong to a closed set, such as configured names. Where they do not, no more than `MOST` combinations are
    kept, and the rest is counted together (L11): nobody outside can make a process remember more.
    """

    __slots__ = ("_counts", "help", "labels", "name")

    def __init__(self, name: str, help_: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.help = help_
        self.labels = labels
        self._counts: dict[tuple[str, ...], Count] = {} if labels else {(): Count()}

    def of(self, *values: str) -> Count:
        """The count of these values, one for each label."""
        found = self._counts.get(values)
        return found if found is not None else self._made(values)

    def read(self) -> list[tuple[tuple[str, ...], int]]:
        """What was counted so far. A family without labels has one number from its start."""
        return [(values, count.value) for values, count in self._counts.items()]

    def _made(self, values: tuple[str, ...]) -> Count:
        if len(values) != len(self.labels):
            raise ValueError(f"{self.name}: {len(self.labels)} labels, not {len(values)}")
        if len(self._counts) >= MOST:
            values = (OTHER,) * len(values)
        return self._counts.setdefault(values, Count())


class Counts:
    """The families of a process by name: the same name is the same family, so that a reload goes on counting."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}
        self._parts: list[Counts] = []

    def family(self, name: str, help_: str, *labels: str) -> Family:
        """The family of this name. `help_` says what one more of it means. ValueError for one with other labels."""
        found = self._families.setdefault(name, Family(name, help_, labels))
        if found.labels != labels:
            raise ValueError(f"{name} is counted by {found.labels}, not by {labels}")
        return found

    def count(self, name: str, help_: str) -> Count:
        """The only count of a family without labels."""
        return self.family(name, help_).of()

    def include(self, part: object) -> None:
        """Show what `part` counts as well, if it is `Counting`."""
        if isinstance(part, Counting):
            self._parts.append(part.counts)

    def __iter__(self) -> Iterator[Family]:
        """Every family, those of parts among them."""
        yield from self._families.values()
        for part in self._parts:
            yield from part


@runtime_checkable
class Counting(Protocol):
    """What counts for itself: stores, which are open before there are any services."""

    @property
    def counts(self) -> Counts:
        """Families whose names are nobody else's."""
        ...


class Outages:
    """When a part is lost and when it is back, counted as `<part>_degraded` and `<part>_recovered`.

    Several may notice, on any thread: the first one is told that it is news, to log it.
    """

    __slots__ = ("_began", "_ended", "_lock", "now")

    def __init__(self, counts: Counts, part: str) -> None:
        self._began = counts.count(f"{part}_degraded", f"How often the store of {part} was lost")
        self._ended = counts.count(f"{part}_recovered", f"How often the store of {part} was back")
        self._lock = Lock()
        self.now = False

    def begin(self) -> bool:
        """It does not do its work. True for the first who says so."""
        return self._turn(lost=True)

    def end(self) -> bool:
        """It does again. True for the first who says so."""
        return self.now and self._turn(lost=False)

    def _turn(self, *, lost: bool) -> bool:
        with self._lock:
            if self.now is lost:
                return False
            self.now = lost
            (self._began if lost else self._ended).value += 1
        return True
