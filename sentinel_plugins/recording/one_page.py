"""One page of a query, as stores fill it: so many rows, or as much as is enough."""

from __future__ import annotations

from sentinel_core.records import Page, Record
from sentinel_plugins.recording import cursor as cursors
from sentinel_plugins.recording.row import bulk

PAGE_BYTES = 2**22
"""What is enough for a page: rows may have contents, and limits count rows. One row may be larger."""


class OnePage:
    """Rows in the order of their page; at least one, and at most `most`."""

    __slots__ = ("_more", "_most", "_rows", "_size")

    def __init__(self, most: int) -> None:
        self._rows: list[Record] = []
        self._most = most
        self._size = 0
        self._more = False

    def takes(self, record: Record) -> bool:
        """Take one more row; False where it belongs to the next page."""
        if self._rows and (len(self._rows) >= self._most or self._size >= PAGE_BYTES):
            self._more = True
            return False
        self._rows.append(record)
        self._size += bulk(record)
        return True

    def done(self) -> Page:
        """The page. It has a cursor if a row was left to the next one."""
        return Page(tuple(self._rows), cursors.encode(self._rows[-1]) if self._more else None)
