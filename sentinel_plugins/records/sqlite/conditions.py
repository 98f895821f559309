"""The conditions of a query as SQL."""

from __future__ import annotations

from typing import TypeAlias

from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.records.sqlite.schema import LEDGER

Value: TypeAlias = str | float | int

TENANT_TEXT = "record -> '$.tenant'"
"""A row's tenant as JSON text."""


class Conditions:
    """A `WHERE` clause and its values, in the order of the columns of an index; with an open end without `until`."""

    def __init__(self, table: str, wanted: Filter, *, open_end: bool = False) -> None:
        self._parts: list[str] = []
        self.values: list[Value] = []
        if table == LEDGER:  # by its name: SQLite takes an index of some rows only where it sees which these are
            self._add(f"\"table\" = '{LEDGER}'")
        else:
            self._add('"table" = ?', table)
        if wanted.tenant is not None:
            self._add("tenant = ?", wanted.tenant)
        if wanted.since is not None:
            self._add("at >= ?", wanted.since)
        if wanted.until is not None and not open_end:
            self._add("at < ?", wanted.until)
        for name, text in wanted.where.items():
            self._add(f"{field(name)} = ?", text.decode())

    def _add(self, part: str, *values: Value) -> None:
        self._parts.append(part)
        self.values += values

    @property
    def sql(self) -> str:
        """The clause."""
        return " AND ".join(self._parts)


def field(name: str) -> str:
    """A field of a row, as the JSON text that was written; NULL where it is absent. `name` is an identifier."""
    return f"record -> '$.fields.{name}'"


def integer(name: str) -> str:
    """A field's integer; anything else, larger ones included, is nothing."""
    path = f"'$.fields.{name}'"
    value = f"json_extract(record, {path})"
    return f"CASE WHEN json_type(record, {path}) = 'integer' AND typeof({value}) = 'integer' THEN {value} ELSE 0 END"
