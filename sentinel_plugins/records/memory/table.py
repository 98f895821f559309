"""One table: the latest rows, in the order of their time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from sentinel_core.records import Record
from sentinel_plugins.recording.cursor import Position, position


class Table:
    """At most `max_rows` rows by (time, id), and the same rows by id.

    Rows arrive nearly in order, so adding is O(1) in practice and O(rows) for a late one.
    """

    __slots__ = ("_by_id", "_max_rows", "_rows")

    def __init__(self, max_rows: int) -> None:
        self._rows: list[Record] = []
        self._by_id: dict[str, Record] = {}
        self._max_rows = max_rows

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, id_: str) -> Record | None:
        """One row."""
        return self._by_id.get(id_)

    def append(self, record: Record) -> None:
        """Add a row unless its id is there; the oldest row makes room."""
        if record.id in self._by_id:
            return
        rows = self._rows
        if not rows or position(rows[-1]) <= position(record):
            rows.append(record)
        else:
            insort(rows, record, key=position)
        self._by_id[record.id] = record
        if len(rows) > self._max_rows:
            del self._by_id[rows.pop(0).id]

    def replace(self, record: Record) -> None:
        """Put a row into the place of the one that has its id and its time."""
        self._rows[bisect_left(self._rows, position(record), key=position)] = record
        self._by_id[record.id] = record

    def newest_first(self, before: Position | None) -> Iterator[Record]:
        """Every row older than that position, or every row."""
        end = len(self._rows) if before is None else bisect_left(self._rows, before, key=position)
        return (self._rows[index] for index in reversed(range(end)))

    def drop(self, until: float) -> int:
        """Forget rows older than `until`; how many there were."""
        end = bisect_left(self._rows, until, key=lambda record: record.at)
        for record in self._rows[:end]:
            del self._by_id[record.id]
        del self._rows[:end]
        return end
