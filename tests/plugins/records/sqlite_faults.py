"""What goes wrong below SQLite, on purpose."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from sentinel_plugins.records.sqlite.opening import prepare

PATIENT_S = 10.0
"""For a store that is to do something: the machine may be busy, and its disk slow."""
QUICK_S = 0.25
"""For a store that is to give up."""


class Shim(sqlite3.Connection):
    """A connection that asks before every statement."""

    before: Callable[[str], None] = staticmethod(lambda sql: None)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # Any: as sqlite3 has it
        """As the connection does, unless `before` has it otherwise."""
        self.before(sql)
        return super().execute(sql, parameters)


class Disk:
    """A disk that a test fills, freezes and mends."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self.reached = threading.Event()

    def connect(self, config: SqliteRecordsConfig) -> sqlite3.Connection:
        """A connection on this disk."""
        connection = sqlite3.connect(config.path, isolation_level=None, check_same_thread=False, factory=Shim)
        connection.execute(f"PRAGMA synchronous = {config.synchronous}")
        connection.before = self._before
        return connection

    def freeze(self) -> None:
        """Nothing becomes durable until `thaw`."""
        self.reached.clear()
        self._flowing.clear()

    def thaw(self) -> None:
        """Go on."""
        self._flowing.set()

    def _before(self, sql: str) -> None:
        if sql == "COMMIT":
            self.reached.set()
            self._flowing.wait(30)
            if self.fault is not None:
                raise sqlite3.OperationalError(self.fault)


@asynccontextmanager
async def on(disk: Disk, folder: Path, *, timeout_s: float = PATIENT_S) -> AsyncIterator[SqliteRecords]:
    """A store on that disk."""
    config = SqliteRecordsConfig(path=str(folder / "sentinel.db"), timeout_s=timeout_s, query_timeout_s=PATIENT_S)
    prepare(config)
    store = SqliteRecords(config, disk.connect)
    try:
        yield store
    finally:
        disk.thaw()
        await store.close()


class FullDisk(Disk):
    """A disk that a test fills: SQLite may use no further page."""

    def __init__(self) -> None:
        super().__init__()
        self._full = False

    def connect(self, config: SqliteRecordsConfig) -> sqlite3.Connection:
        """A connection on this disk; the store makes a new one after each failure."""
        connection = super().connect(config)
        connection.execute(f"PRAGMA max_page_count = {1 if self._full else 2**30}")
        return connection

    def fill(self) -> None:
        """Leave no room for another page."""
        self._full, self.fault = True, "database or disk is full"

    def free(self) -> None:
        """There is room again."""
        self._full, self.fault = False, None


class SmallDisk(Disk):
    """A file system of 4 MiB."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room for another page."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
            while ballast.write(bytes(4096)):
                pass

    def free(self) -> None:
        """There is room again."""
        self._ballast.unlink()


@contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """A small file system on this folder; False where this process may not mount one."""
    options = ["-t", "tmpfs", "-o", "size=4m", "sentinel-test", str(folder)]
    done = os.geteuid() == 0 and subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@cache
def may_mount() -> bool:
    """Whether tests can have a file system of their own here."""
    with TemporaryDirectory() as folder, mounted(Path(folder)) as done:
        return done
