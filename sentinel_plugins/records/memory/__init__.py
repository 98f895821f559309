"""Records in this process's memory: the latest rows of each table, gone with the process."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.hookspecs import hookimpl
from sentinel_core.records import RecordStore
from sentinel_plugins.records.memory.config import MemoryRecordsConfig
from sentinel_plugins.records.memory.store import MemoryRecords

__all__ = ["MemoryRecords", "MemoryRecordsConfig", "sentinel_stores"]


@hookimpl
def sentinel_stores() -> Iterable[type[RecordStore]]:
    """The store of `[records] kind = "memory"`."""
    return (MemoryRecords,)
