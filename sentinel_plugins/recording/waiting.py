"""What waits in a journal, one row at a time and by groups."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from sentinel_core.records import Record

Group: TypeAlias = Sequence[Record]


class Unmade(Protocol):
    """A row without contents that is made when it is written, beside others: what runs once in a request finds its code
    and data in no cache, and takes three times as long as among others of its kind."""

    def record(self) -> Record:
        """The row. Asked for once."""
        ...


class Waiting(msgspec.Struct, frozen=True):
    """A row to write, what its writer waits for, if one does, and its bulk where rows may have contents."""

    record: Record | Unmade
    written: asyncio.Future[None] | None = None
    bulk: int = 0


class Batch(NamedTuple):
    """Rows that are written together, as they will stay, and their bulk as it was when they came."""

    rows: Group = ()
    bulk: int = 0
