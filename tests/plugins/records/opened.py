"""Every record store, as a test opens it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

from sentinel_core.json_types import JsonValue, TomlTable, TomlValue
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.records.memory import MemoryRecords
from sentinel_plugins.records.redis import RedisRecords, RedisRecordsConfig
from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from tests.ports import HOST
from tests.redis.server import RedisServer

Opener: TypeAlias = Callable[[], AbstractAsyncContextManager[RecordStore]]


def sqlite_table(folder: Path, **config: TomlValue) -> TomlTable:
    """A file in this folder."""
    # Tests of more than the file's own durability need no disk to say that it has it, and the machine may be busy.
    patient = {"synchronous": "normal", "timeout_s": 10.0, "query_timeout_s": 10.0}
    return {"kind": "sqlite", "path": str(folder / "sentinel.db"), **patient, **config}


def redis_table(server: RedisServer, folder: Path, **config: TomlValue) -> TomlTable:
    """That server, with the spool in this folder."""
    patient = {"timeout_s": 10.0, "query_timeout_s": 10.0}
    return {"kind": "redis", "port": server.port, "host": HOST, "spool": str(folder / "spool"), **patient, **config}


def sqlite(folder: Path, **config: TomlValue) -> AbstractAsyncContextManager[SqliteRecords]:
    """A store on the file of this folder."""
    return SqliteRecords.open(SqliteRecordsConfig(**sqlite_table(folder, **config)))


def redis(server: RedisServer, folder: Path, **config: TomlValue) -> AbstractAsyncContextManager[RedisRecords]:
    """A store on that server, with its spool in this folder."""
    return RedisRecords.open(RedisRecordsConfig(**redis_table(server, folder, **config)))


def opened(table: TomlTable) -> AbstractAsyncContextManager[RecordStore]:
    """The store of a table."""
    kinds: tuple[type[RecordStore], ...] = (MemoryRecords, SqliteRecords, RedisRecords)
    kind = next(kind for kind in kinds if kind.kind == table["kind"])
    return kind.open(kind.Config(**table))


def row(number: int, *, tenant: str = "acme", at: float | None = None, **fields: JsonValue) -> Record:
    """A row whose time is its number."""
    return Record(f"row-{number}", tenant, float(number) if at is None else at, fields)
