"""Structs as rows that change: what a store of records is for keys and tenants."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject
from sentinel_core.records import Record, RecordStore

log = logging.getLogger("sentinel.auth")

_PLACE = ("id", "tenant", "created_at")
_TRIES = 10


class Kept(Protocol):
    """What a row is made of: a Struct with these fields, which never change, and others."""

    @property
    def id(self) -> str:
        """Unique in its table."""
        ...

    @property
    def tenant(self) -> str:
        """Whose row it is."""
        ...

    @property
    def created_at(self) -> float:
        """Seconds since the epoch."""
        ...


S = TypeVar("S", bound=Kept)


class Rows(Generic[S]):
    """One table of Structs. Raises `Refusal` (state_unavailable) where the store does not answer: whether a key is
    valid is then unknown, which is no reason to call it wrong (R13). A row that is not what it should be, such as one
    with more patterns than there may be, is a Refusal (internal_error) that names it."""

    def __init__(self, records: RecordStore, table: str, kind: type[S]) -> None:
        self._records = records
        self._table = table
        self._kind = kind
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add(self, row: S) -> bool:
        """Write a new row; False if there is one of this id."""
        try:
            return await self._records.put(self._table, _record(row), expect=None)
        except Refusal as error:
            raise unavailable(error) from None

    async def get(self, id_: str, tenant: str | None) -> S | None:
        """One row of this tenant, or of any."""
        try:
            record = await self._records.get(self._table, tenant, id_)
        except Refusal as error:
            raise unavailable(error) from None
        return self._read(record) if record is not None else None

    async def page(self, tenant: str | None, limit: int, cursor: str | None) -> tuple[list[S], str | None]:
        """Rows of this tenant, or of all, newest first, and where to go on. One that cannot be read takes no other
        with it."""
        try:
            page = await self._records.query(self._table, tenant=tenant, limit=limit, cursor=cursor)
        except Refusal as error:
            raise unavailable(error) from None
        return list(self._legible(page.records)), page.cursor

    async def change(self, id_: str, tenant: str | None, change: Callable[[S], S]) -> S | None:
        """Replace a row by what `change` makes of it, whoever else does so; None where there is none of this tenant.

        `change` may be called again with a newer row, and may raise. Changes of one row wait for each other in this
        process; where others are faster too often, it is a Refusal (overloaded).
        """
        async with self._changing.setdefault(id_, asyncio.Lock()):
            for _ in range(_TRIES):
                try:
                    present = await self._records.get(self._table, tenant, id_)
                    if present is None:
                        return None
                    row = change(self._read(present))
                    if await self._records.put(self._table, _record(row), expect=present):
                        return row
                except Refusal as error:
                    raise unavailable(error) from None
        raise Refusal("overloaded", "Others change the same now; try again.", retry_after_s=1)

    def _read(self, record: Record) -> S:
        place = {"id": record.id, "tenant": record.tenant, "created_at": record.at}
        try:
            return msgspec.convert({**record.fields, **place}, self._kind)
        except msgspec.ValidationError as error:
            message = f"The row {record.id!r} of {self._table} is not valid: {error}. Make another one."
            raise Refusal("internal_error", message, should_retry=False) from None

    def _legible(self, records: Iterable[Record]) -> Iterator[S]:
        for record in records:
            try:
                yield self._read(record)
            except Refusal as error:
                log.error("left out of a list: %s", error.message)


def unavailable(error: Refusal) -> Refusal:
    """What a caller is told of a store that does not answer; any other refusal stays as it is."""
    if error.code != "ledger_unavailable":
        return error
    message = "The gateway's record store does not answer."
    return Refusal("state_unavailable", message, retry_after_s=error.retry_after_s or 1)


def _record(row: Kept) -> Record:
    fields: JsonObject = msgspec.to_builtins(row)
    for name in _PLACE:
        del fields[name]
    return Record(row.id, row.tenant, row.created_at, fields)
