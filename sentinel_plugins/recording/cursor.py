"""Where a query goes on: after the last row that was handed out."""

from __future__ import annotations

import base64
from typing import TypeAlias

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.records import Record

Position: TypeAlias = tuple[float, str]
"""A row's place in its table: its time, then its id. It never changes, so rows that arrive move no cursor."""


def position(record: Record) -> Position:
    """Where this row stands."""
    return (record.at, record.id)


def encode(record: Record) -> str:
    """A cursor behind this row, safe in a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position(record))).decode()


def decode(cursor: str) -> Position:
    """The position behind which to go on. Raises `Refusal` (400): cursors come back from callers."""
    try:
        return msgspec.json.decode(base64.b64decode(cursor, altchars=b"-_", validate=True), type=tuple[float, str])
    except (ValueError, msgspec.MsgspecError):
        raise Refusal("invalid_parameter", "The cursor is not one of this gateway's.", param="cursor") from None
