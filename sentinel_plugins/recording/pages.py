"""A whole query, however many pages it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sentinel_core.records import Page, Record, RecordStore
from sentinel_plugins.recording.one_page import PAGE_BYTES
from sentinel_plugins.recording.row import bulk

PAGE = 500
FIRST = 50
"""Rows of a page at most, and of the first one, by which the next are measured."""


class Pages:
    """Every page of a query, the newest rows first: `async for page in Pages(records, "usage", tenant=None):`.

    Nothing stays open between two pages: whoever stops early leaves nothing behind. Raises `Refusal` as the store does.
    """

    def __init__(self, records: RecordStore, table: str, **query: Any) -> None:  # what `RecordStore.query` takes
        self._records = records
        self._table = table
        self._query = query
        self._cursor: str | None = None
        self._limit = min(FIRST, PAGE)
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sequence[Record]:
        if self._over:
            raise StopAsyncIteration
        page = await self._records.query(self._table, limit=self._limit, cursor=self._cursor, **self._query)
        self._cursor = page.cursor
        self._over = page.cursor is None
        self._limit = _limit(page.records)
        return page.records


async def newest(records: RecordStore, table: str, limit: int, **query: Any) -> Page:  # Any: as above
    """The first `limit` rows, however large they are: a store's pages may end earlier."""
    found: list[Record] = []
    cursor: str | None = None
    while True:
        page = await records.query(table, limit=limit - len(found), cursor=cursor, **query)
        found += page.records
        cursor = page.cursor
        if cursor is None or len(found) >= limit:
            return Page(tuple(found), cursor)


def _limit(read: Sequence[Record]) -> int:
    """How many rows the next page may have, if they are as large as those."""
    size = sum(map(bulk, read))
    return max(1, min(PAGE, len(read) * PAGE_BYTES // size)) if size else PAGE
