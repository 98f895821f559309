"""One table: the latest rows, in the order of their time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from sentinel_core.records import Record
from sentinel_plugins.recording.cursor import Position, position

SLACK = 256
"""How many rows that count no more may still be there."""


class Table:
    """At most `max_rows` rows by (time, id), and the same rows by id.

    Rows arrive nearly in order, so adding one is O(1) amortised in practice and O(rows) for a late one. The first
    `_gone` rows of the list count no more: they leave it together, for each time moves all that stay.
    """

    __slots__ = ("_by_id", "_gone", "_max_rows", "_rows")

    def __init__(self, max_rows: int) -> None:
        self._rows: list[Record] = []
        self._by_id: dict[str, Record] = {}
        self._gone = 0
        self._max_rows = max_rows

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, id_: str) -> Record | None:
        """One row."""
        return self._by_id.get(id_)

    def extend(self, records: Iterable[Record]) -> None:
        """Add each row unless its id is there; then the oldest rows make room for them."""
        rows, by_id = self._rows, self._by_id
        for record in records:
            if record.id in by_id:
                continue
            if not by_id or rows[-1].at < record.at or position(rows[-1]) <= position(record):
                rows.append(record)
            else:
                insort(rows, record, self._gone, key=position)
            by_id[record.id] = record
        if len(by_id) > self._max_rows:
            self._forget(len(by_id) - self._max_rows)

    def replace(self, record: Record) -> None:
        """Put a row into the place of the one that has its id and its time."""
        self._rows[self._place(record)] = record
        self._by_id[record.id] = record

    def newest_first(self, before: Position | None) -> Iterator[Record]:
        """Every row older than that position, or every row."""
        rows, begin = self._rows, self._gone
        end = len(rows) if before is None else bisect_left(rows, before, begin, key=position)
        return (rows[index] for index in reversed(range(begin, end)))

    def drop(self, until: float) -> int:
        """Forget rows older than `until`; how many there were."""
        old = bisect_left(self._rows, until, self._gone, key=lambda record: record.at) - self._gone
        self._forget(old)
        return old

    def drop_these(self, until: float, ids: Iterable[str]) -> int:
        """Forget those of these rows that are older than `until`; how many there were."""
        found = (self._by_id.get(id_) for id_ in ids)
        old = {record.id: record for record in found if record is not None and record.at < until}
        if not old:
            return 0
        begin, last = (self._place(edge(old.values(), key=position)) for edge in (min, max))
        self._rows[begin : last + 1] = [row for row in self._rows[begin : last + 1] if row.id not in old]
        for id_ in old:
            del self._by_id[id_]
        return len(old)

    def _place(self, record: Record) -> int:
        return bisect_left(self._rows, position(record), self._gone, key=position)

    def _forget(self, count: int) -> None:
        """The oldest rows count no more."""
        end = self._gone + count
        for record in self._rows[self._gone : end]:
            del self._by_id[record.id]
        self._gone = end
        if end > SLACK:
            del self._rows[:end]
            self._gone = 0
