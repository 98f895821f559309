"""Durable rows that are appended and queried: usage, audit, incidents, keys and tenants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol, runtime_checkable

import msgspec

from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.state import StoreConfig

TENANT = "@tenant"
"""In `group_by`: the row's tenant."""
DAY = "@day"
"""In `group_by`: the day of the row's `at`, in UTC, as `2026-11-30`."""


class Record(msgspec.Struct, frozen=True):
    """One row. `id` is unique within its table: appending the same id again changes nothing.

    `at` is seconds since the epoch, up to the year 9999. `fields` are JSON values, integers of at most 64 bits.
    """

    id: str
    tenant: str
    at: float
    fields: JsonMapping


class Page(msgspec.Struct, frozen=True):
    """One page of a query, newest first. `cursor` continues it; None at the end, and only there."""

    records: tuple[Record, ...]
    cursor: str | None = None


class Stored(msgspec.Struct, frozen=True):
    """A row as it lies in a store: by what it is found there, and what it says, which is None where that is no record.

    `at` is NaN where the store's own places for it differ. `as_written` is False for a text that no store writes of
    this record: a query may read it otherwise than whoever decodes it.
    """

    id: str
    tenant: str
    at: float
    record: Record | None
    as_written: bool = True

    @property
    def in_place(self) -> bool:
        """Whether it is found by what it says."""
        found = self.record
        return found is not None and (found.id, found.tenant, found.at) == (self.id, self.tenant, self.at)


class Group(msgspec.Struct, frozen=True):
    """Rows that share the values of `group_by`: those values, how many rows, and the sums of their integers.

    A field that is absent or null is None here.
    """

    values: tuple[JsonValue, ...]
    count: int
    sums: tuple[int, ...]


@runtime_checkable
class RecordStore(Protocol):
    """Rows by table. Every method may raise `Refusal("ledger_unavailable")`.

    A refused write may have been stored all the same, where the store broke off in the middle of it: write it again,
    since no row is stored twice. Names of fields that are asked for are identifiers; ValueError for others.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[StoreConfig]]
    durable: ClassVar[bool]
    """True if rows survive the process."""

    @property
    def available(self) -> bool:
        """False while the store is known not to do its work. Asks nobody."""
        ...

    @classmethod
    def open(cls, config: Any) -> AbstractAsyncContextManager[RecordStore]:  # Any: the store's own Config
        """The store, open; flushed and closed with the context."""
        ...

    @classmethod
    def reader(cls, config: Any) -> AbstractAsyncContextManager[RecordStore]:  # Any: the same
        """The store for whoever only reads, as commands do: nothing is made or migrated, and writes may be refused.
        `ConfigError` where there is nothing to read."""
        ...

    async def append(self, table: str, records: Sequence[Record]) -> None:
        """Add rows, all or none, idempotent by id. Returns when they are as durable as this store makes them."""
        ...

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        """Write a row in the place of `expect`, or where there is none if `expect` is None; whether it was written.

        False, and nothing changes, where the row of this id is not, or no longer, equal to `expect` as JSON: read it
        again. For rows that change, such as keys and tenants. Id, tenant and time stay: ValueError if they do not.
        """
        ...

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the domain's word
        """One row by id, None if there is none in this tenant. Tenant None looks in all."""
        ...

    async def query(
        self,
        table: str,
        *,
        tenant: str | None,
        where: JsonMapping | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Rows from `since` until before `until` whose fields equal `where` as JSON, newest first, at most `limit`.

        Where rows are large a page has fewer of them, and at least one: only the cursor says whether there are more.
        Tenant None looks in all. Following the cursors gives every row that was there at the start exactly once,
        whatever arrives meanwhile. Raises `Refusal` (invalid_parameter) for a cursor that is none.
        """
        ...

    def scan(self, table: str) -> AsyncIterator[Stored]:
        """Every row that was there at the start, newest first, as it lies there: for whoever trusts no store.

        No row is refused for what it says, or where it stands.
        """
        ...

    async def aggregate(
        self,
        table: str,
        *,
        tenant: str | None,
        group_by: Sequence[str] = (),
        sums: Sequence[str] = (),
        where: JsonMapping | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> tuple[Group, ...]:
        """Rows that match, counted and summed by the values of `group_by`: fields, `TENANT` or `DAY`.

        `sums` names fields: their integers of 64 bits are added exactly, anything else counts as nothing. Groups come
        in no particular order; without rows there is none.
        """
        ...

    async def delete(self, table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        """Forget rows older than `until`; how many there were.

        With `ids` those of them alone: whoever decides by what they read so forgets nothing that came since. Ids may
        be any number, and are read once.
        """
        ...
