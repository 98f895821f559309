"""Records in a SQLite file: durable, for one machine, without a server."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.records import RecordStore
from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.store import SqliteRecords

__all__ = ["SqliteRecords", "SqliteRecordsConfig", "sentinel_stores"]


@hookimpl
def sentinel_stores() -> Iterable[type[RecordStore]]:
    """The store of `[records] kind = "sqlite"`."""
    return (SqliteRecords,)
