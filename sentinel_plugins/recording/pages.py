"""A whole query, however many pages it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sentinel_core.records import Record, RecordStore

PAGE = 500


class Pages:
    """Every page of a query, the newest rows first: `async for page in Pages(records, "usage", tenant=None):`.

    Nothing stays open between two pages: whoever stops early leaves nothing behind. Raises `Refusal` as the store does.
    """

    def __init__(self, records: RecordStore, table: str, **query: Any) -> None:  # what `RecordStore.query` takes
        self._records = records
        self._table = table
        self._query = query
        self._cursor: str | None = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sequence[Record]:
        if self._over:
            raise StopAsyncIteration
        page = await self._records.query(self._table, limit=PAGE, cursor=self._cursor, **self._query)
        self._cursor = page.cursor
        self._over = page.cursor is None
        return page.records
