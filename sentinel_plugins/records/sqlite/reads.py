"""What is read, each in one step of SQLite: between steps a thread waits for Python's lock, which the loop holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any, TypeAlias

import msgspec

from sentinel_core.records import DAY, TENANT, Group, Page, Record, Stored
from sentinel_plugins.recording import cursor as cursors
from sentinel_plugins.recording import row as rows
from sentinel_plugins.recording.cursor import Position, position
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.recording.groups import DAY_S, Groups, day
from sentinel_plugins.recording.one_page import PAGE_BYTES
from sentinel_plugins.records.sqlite.conditions import TENANT_TEXT, Conditions, field, integer

_GET = 'SELECT record FROM records WHERE "table" = ? AND id = ?'
_SCAN = """
    SELECT CAST(id AS BLOB), CAST(tenant AS BLOB), at, CAST(record AS BLOB) FROM records
    WHERE "table" = ? {} ORDER BY at DESC, id DESC LIMIT ?"""
_SCAN_FIRST, _SCAN_NEXT = _SCAN.format(""), _SCAN.format("AND (at, id) < (?, CAST(? AS TEXT))")
SCANNED = 500
"""Rows of one step of a scan, at most."""
_ABOVE_ALL = "9e999, x''"
"""A position before every row: a time that is infinite, and what SQLite sorts behind every text."""
_PAGE = """
    WITH RECURSIVE walked(at, id, nth, size, record) AS (
        VALUES ({start}, 0, 0, '')
        UNION ALL
        SELECT following.at, following.id, nth + 1, size + length(CAST(following.record AS BLOB)),
            CASE WHEN nth < ? AND size < ? THEN following.record END
        FROM walked CROSS JOIN records AS following ON following.number = (
            SELECT number FROM {source} WHERE {where} AND (at, id) < (walked.at, walked.id)
            ORDER BY at DESC, id DESC LIMIT 1
        )
        WHERE walked.record IS NOT NULL
    )
    SELECT '[' || coalesce(group_concat(record), '') || ']', count(*) FROM walked WHERE nth > 0"""
"""Row after row, until there are as many as are wanted, or as much as is enough; and one without its text behind them,
if there is one. Only so does SQLite read no row more than it has to: contents may be large."""
_HALF = 2**32

Raw: TypeAlias = tuple[bytes, bytes, float, bytes]
"""The columns of a row: id, tenant, time and record."""
Place: TypeAlias = tuple[float, bytes]
"""Where a row stands by its columns: its time, then its id."""

_rows = msgspec.json.Decoder(list[list[Any]]).decode  # texts, numbers and None
_decode = msgspec.json.Decoder().decode


def one(connection: sqlite3.Connection, table: str, id_: str) -> Record | None:
    """The row of an id."""
    found = connection.execute(_GET, (table, id_)).fetchone()
    return rows.decode(found[0]) if found is not None else None


def page(connection: sqlite3.Connection, table: str, wanted: Filter, before: Position | None, limit: int) -> Page:
    """The first rows behind a position, newest first; no more of them than are enough."""
    where = Conditions(table, wanted, open_end=True)
    # Left to choose, SQLite goes through everybody's rows for the second page of a tenant's.
    source = "records INDEXED BY records_by_tenant" if wanted.tenant is not None else "records"
    start = _start(wanted.until, before)
    text, seen = connection.execute(
        _PAGE.format(start="?, ?" if start else _ABOVE_ALL, source=source, where=where.sql),
        [*start, limit, PAGE_BYTES, *where.values],
    ).fetchone()
    records = tuple(sorted(rows.decode_all(text), key=position, reverse=True))  # concatenation promises no order
    return Page(records, cursors.encode(records[-1]) if seen > len(records) else None)


def _start(until: float | None, before: Position | None) -> tuple[float, str] | tuple[()]:
    """The position behind which the rows stand, where there is one. No row of a time has a smaller id than the empty
    one."""
    positions = [*([before] if before is not None else ()), *([(until, "")] if until is not None else ())]
    return min(positions, default=())


def scanned(connection: sqlite3.Connection, table: str, before: Place | None) -> list[Raw]:
    """The next rows, newest first by their columns, no more than are enough; as bytes, for a text may be none."""
    sql = _SCAN_FIRST if before is None else _SCAN_NEXT
    found: list[Raw] = []
    size = 0
    with closing(connection.execute(sql, (table, *(before or ()), SCANNED))) as steps:
        for raw in steps:
            found.append(raw)
            size += len(raw[3])
            if size >= PAGE_BYTES:
                break
    return found


def stored(raw: Raw) -> Stored:
    """A row as it lies there."""
    id_, tenant, at, text = raw
    return rows.stored(id_.decode(errors="replace"), tenant.decode(errors="replace"), at, text)


def counted(connection: sqlite3.Connection, table: str, wanted: Filter, groups: Groups) -> tuple[Group, ...]:
    """Rows counted and summed in groups."""
    where = Conditions(table, wanted)
    text = connection.execute(_grouped(where, groups), where.values).fetchone()[0]
    keys = len(groups.group_by)
    for found in _rows(text):
        values, (count, *halves) = found[:keys], (int(number or 0) for number in found[keys:])
        sums = [high * _HALF + low for high, low in zip(halves[::2], halves[1::2], strict=True)]
        if count:
            groups.merge(map(_value, values), count, sums)
    return groups.all()


def _grouped(where: Conditions, groups: Groups) -> str:
    """One JSON array of arrays: keys, count, and each sum in two halves, which cannot overflow.

    What an index has worked out already is taken from it only where nothing is grouped (SQLite 3.40): so the rows come
    first, then their groups; and all of them are one group where there are no keys.
    """
    keys = [f"k{index}" for index in range(len(groups.group_by))]
    amounts = [f"s{index}" for index in range(len(groups.sums))]
    columns = [f"{_key(name)} AS {key}" for name, key in zip(groups.group_by, keys, strict=True)]
    columns += [f"{integer(name)} AS {amount}" for name, amount in zip(groups.sums, amounts, strict=True)]
    halves = [f"sum({amount} >> 32), sum({amount} & {_HALF - 1})" for amount in amounts]
    found = f"SELECT {', '.join([*columns, 'NULL AS none'])} FROM records WHERE {where.sql}"  # noqa: S608 - see below
    group = f"json_array({', '.join([*keys, 'count(*)', *halves])})"
    if not keys:
        return f"SELECT '[' || {group} || ']' FROM ({found})"  # noqa: S608 - see below
    return f"""
        WITH found AS MATERIALIZED ({found})
        SELECT '[' || coalesce(group_concat(g), '') || ']' FROM (
            SELECT {group} AS g FROM found GROUP BY {", ".join(keys)}
        )"""  # noqa: S608 - names of fields are identifiers, values are parameters


def _key(name: str) -> str:
    """What a row is grouped by, as a plain text: SQLite would embed JSON, as which it is marked."""
    if name == DAY:
        return f"CAST(at / {DAY_S} AS INTEGER)"
    return f"'' || ({field(name) if name != TENANT else TENANT_TEXT})"


def _value(found: str | int | None) -> object:
    """The value that a key stands for; a number is that of a day."""
    if isinstance(found, int):
        return day(found)
    return _decode(found) if found is not None else None
