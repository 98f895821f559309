"""Every record store, as a test opens it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeAlias

from sentinel_core.records import Record, RecordStore
from sentinel_plugins.records.memory import MemoryRecords, MemoryRecordsConfig
from sentinel_plugins.records.redis import RedisRecords, RedisRecordsConfig
from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from tests.redis.server import HOST, RedisServer

Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[RecordStore]]


def memory() -> AbstractAsyncContextManager[RecordStore]:
    """An empty store in memory."""
    return MemoryRecords.open(MemoryRecordsConfig())


def sqlite(folder: Path, **config: Any) -> AbstractAsyncContextManager[SqliteRecords]:  # Any: fields of the Config
    """A store on the file of this folder."""
    # Tests of more than the file's own durability need no disk to say that it has it, and the machine may be busy.
    patient = {"synchronous": "normal", "timeout_s": 10.0, "query_timeout_s": 10.0}
    return SqliteRecords.open(SqliteRecordsConfig(path=str(folder / "sentinel.db"), **{**patient, **config}))


def redis(server: RedisServer, folder: Path, **config: Any) -> AbstractAsyncContextManager[RedisRecords]:  # the same
    """A store on that server, with its spool in this folder."""
    patient = {"timeout_s": 10.0, "query_timeout_s": 10.0}
    spool = str(folder / "spool")
    return RedisRecords.open(RedisRecordsConfig(port=server.port, host=HOST, spool=spool, **{**patient, **config}))


def row(number: int, *, tenant: str = "acme", at: float | None = None, **fields: Any) -> Record:  # Any: JSON values
    """A row whose time is its number."""
    return Record(f"row-{number}", tenant, float(number) if at is None else at, fields)
