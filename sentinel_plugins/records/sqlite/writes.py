"""What is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from sentinel_core.records import Record
from sentinel_plugins.recording.json_text import same
from sentinel_plugins.recording.row import Row
from sentinel_plugins.records.sqlite.conditions import Value
from sentinel_plugins.records.sqlite.reads import one

CHUNKS = (64, 16, 4, 1)
"""How many rows one statement takes: each is prepared once, and each step gives Python's lock up once."""
STEP = 500
"""Rows that one step of `delete` forgets; appends come in between."""

_INSERT = 'INSERT INTO records ("table", id, tenant, at, record) VALUES {} ON CONFLICT ("table", id) DO NOTHING'
_INSERTS = {size: _INSERT.format(", ".join(["(?, ?, ?, ?, ?)"] * size)) for size in CHUNKS}
_UPDATE = 'UPDATE records SET record = ? WHERE "table" = ? AND id = ?'
_DELETE = (
    'DELETE FROM records WHERE number IN (SELECT number FROM records WHERE "table" = ? AND at < ? ORDER BY at LIMIT ?)'
)

# Left to choose, SQLite goes through all rows of the table.
_DELETE_THESE = 'DELETE FROM records INDEXED BY sqlite_autoindex_records_1 WHERE "table" = ? AND id IN ({}) AND at < ?'


@dataclass(frozen=True, slots=True)
class Append:
    """Rows to add where their ids are not yet there."""

    table: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Put:
    """A row to write in the place of another, or of none."""

    table: str
    row: Row
    expect: Record | None

    def run(self, connection: sqlite3.Connection) -> int:
        """1 if it was written."""
        if self.expect is None:
            return insert(connection, [Append(self.table, [self.row])])
        present = one(connection, self.table, self.row.id)
        if present is None or not same(present, self.expect):
            return 0
        return connection.execute(_UPDATE, (self.row.text, self.table, self.row.id)).rowcount


@dataclass(frozen=True, slots=True)
class Delete:
    """Rows before a moment: those of these ids, or the oldest, at most `STEP` of them."""

    table: str
    until: float
    ids: Sequence[str] | None = None

    def run(self, connection: sqlite3.Connection) -> int:
        """How many there were."""
        if self.ids is not None:
            sql = _DELETE_THESE.format(", ".join("?" * len(self.ids)))
            return connection.execute(sql, (self.table, *self.ids, self.until)).rowcount
        return connection.execute(_DELETE, (self.table, self.until, STEP)).rowcount


Work: TypeAlias = Append | Put | Delete


def insert(connection: sqlite3.Connection, appends: Sequence[Append]) -> int:
    """Add the rows of several appends; how many are new."""
    values = [(append.table, *row) for append in appends for row in append.rows]
    return sum(connection.execute(_INSERTS[len(chunk)], _flat(chunk)).rowcount for chunk in _chunks(values))


def _chunks(values: Sequence[tuple[Value, ...]]) -> Iterator[Sequence[tuple[Value, ...]]]:
    start = 0
    for size in CHUNKS:
        while len(values) - start >= size:
            yield values[start : start + size]
            start += size


def _flat(chunk: Sequence[tuple[Value, ...]]) -> list[Value]:
    return [value for values in chunk for value in values]


def run(connection: sqlite3.Connection, works: Sequence[Work]) -> Iterator[int]:
    """Each piece of work in its order; appends that follow each other together."""
    for appending, group in groupby(works, lambda work: isinstance(work, Append)):
        if appending:
            appends = [work for work in group if isinstance(work, Append)]
            insert(connection, appends)
            yield from (0 for _ in appends)
        else:
            yield from (work.run(connection) for work in group if not isinstance(work, Append))
