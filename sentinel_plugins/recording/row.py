"""Rows as stores keep them: one JSON text each, beside what they are found by."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from sentinel_core.records import Record, Stored
from sentinel_plugins.recording.group_commit import unavailable
from sentinel_plugins.recording.json_text import encode

log = logging.getLogger("sentinel.records")

MAX_AT = 253_402_300_800.0
"""The end of the year 9999."""

UNREADABLE = (msgspec.MsgspecError, RecursionError)
"""What is raised for a text that is no row."""

_decode = msgspec.json.Decoder(Record).decode
_decode_all = msgspec.json.Decoder(list[Record]).decode


class Row(NamedTuple):
    """A row to be written. `text` is the whole record as JSON."""

    id: str
    tenant: str
    at: float
    text: str


def decode(text: str | bytes) -> Record:
    """A row as it was written. `Refusal` (ledger_unavailable) for what is none, which is logged."""
    with _readable():
        return _decode(text)


def decode_all(text: str | bytes) -> list[Record]:
    """The rows of a JSON array, in the same way."""
    with _readable():
        return _decode_all(text)


def stored(id_: str, tenant: str, at: float, text: bytes) -> Stored:
    """A row as it lies in a store: by what it is found there, and its text."""
    try:
        record = _decode(text)
        return Stored(id_, tenant, at, record, as_written=encode(record) == text)
    except UNREADABLE:
        return Stored(id_, tenant, at, None)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        log.error("a row is damaged: %s", error)
        raise unavailable() from error


def checked(record: Record) -> Record:
    """The record. ValueError if its time is none."""
    if not 0 <= record.at < MAX_AT:
        raise ValueError(f"not a time in seconds since the epoch: {record.at}")
    return record


def replacement(record: Record, expect: Record | None) -> Record:
    """The record that takes the place of another, or of none. ValueError if it would stand elsewhere."""
    if expect is not None and (record.id, record.tenant, record.at) != (expect.id, expect.tenant, expect.at):
        raise ValueError("a row keeps its id, its tenant and its time")
    return checked(record)


def bulk(record: Record) -> int:
    """About how large a row is: the bytes of the texts in its fields, whatever they are and however they lie."""
    size, values = 0, [*record.fields.values()]
    while values:
        value = values.pop()
        if isinstance(value, str):
            size += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list | tuple):
            values += value
    return size


def row(record: Record) -> Row:
    """A record as it is written. Raises ValueError for a time that is none, and what its encoder raises."""
    if not isinstance(checked(record).at, float):  # it is read as one
        record = msgspec.structs.replace(record, at=float(record.at))
    return Row(record.id, record.tenant, record.at, encode(record).decode())
