"""The file at start: there, sound, ours, and of this version; or the gateway does not start.

An empty ledger in the place of a broken one would give every budget back, so nothing is ever made anew (D04).
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_plugins.records.sqlite import schema, wal
from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.connect import OLDEST, connect, looking, quiet_mode

log = logging.getLogger("sentinel.records")

CHECK_S = 1.0
"""How long the file is checked: about 500 MB; of a larger one the check covers as much."""
_BUSY_S = 1.0
_RESTORE = "the file as it was, from a backup; or another path, which begins with an empty ledger"


def prepare(config: SqliteRecordsConfig) -> None:
    """Make the file if there is none, else check it and take it to this version. Raises `ConfigError`; blocks."""
    path = Path(config.path)
    with _usable(path, "a file in a folder that exists and can be written"):
        if not path.exists():
            _create(path)
        _check(path)


def examine(config: SqliteRecordsConfig) -> None:
    """See that there is a file of ours to read, and leave it as it is. Raises `ConfigError`; blocks."""
    path = Path(config.path)
    with _usable(path, "a file that can be read"):
        if not path.exists():
            _refuse(path, "is not there", "the file of a gateway")
        _check_beginnings(path)
        with closing(looking(config, quiet_mode(path))) as connection:
            _check_owner(path, connection)


@contextmanager
def _usable(path: Path, expected: str) -> Iterator[None]:
    if sqlite3.sqlite_version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        _refuse(path, f"SQLite {sqlite3.sqlite_version} is too old", f"Python with SQLite {oldest} or later")
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        _refuse(path, f"cannot be used: {reason}", expected, cause=error)


def _create(path: Path) -> None:
    """A new file, under its name only once it is whole: whoever finds it empty knows that somebody emptied it."""
    if wal.beside(path).exists():
        _refuse(path, "is gone, and its -wal file is not", _RESTORE)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(connect(draft, busy_timeout_s=_BUSY_S)) as connection:
            schema.migrate(connection)
        with suppress(FileExistsError):  # another worker was faster: its file is as good
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make a new name in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_beginnings(path: Path) -> None:
    """What SQLite itself takes for a file, or a log, without rows."""
    if path.stat().st_size == 0:
        _refuse(path, "is empty: its rows are gone", _RESTORE)
    if wal.damaged(path):
        _refuse(path, "has a damaged -wal file: rows that were committed cannot be read", _RESTORE)


def _check(path: Path) -> None:
    _check_beginnings(path)
    with closing(connect(path, busy_timeout_s=_BUSY_S)) as connection:
        _check_owner(path, connection)
        found = _quick_check(path, connection)
        if found != "ok":
            _refuse(path, f"is damaged: {found}", _RESTORE)
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            _refuse(path, "cannot have a write-ahead log there", "a local disk: SQLite needs shared memory beside it")
        if (version := schema.version_of(connection)) < schema.VERSION:
            log.info(
                "%s: from version %d to %d, which takes a while where there are many rows",
                path,
                version,
                schema.VERSION,
            )
        schema.migrate(connection)


def _check_owner(path: Path, connection: sqlite3.Connection) -> None:
    try:
        version, application = schema.version_of(connection), schema.application_of(connection)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, or not to be opened
            raise
        _refuse(path, f"is damaged: {error}", _RESTORE, cause=error)
    if application != schema.APPLICATION_ID:
        _refuse(path, "is a database of another program", "a path of its own")
    if version > schema.VERSION:
        expected = "the newer release, or the file as it was before it"
        _refuse(path, f"was written by a newer release (version {version}, this one knows {schema.VERSION})", expected)


def _quick_check(path: Path, connection: sqlite3.Connection) -> str:
    """`ok`, also where there was no time to look at everything, or the first thing that is wrong."""
    timer = threading.Timer(CHECK_S, connection.interrupt)
    timer.start()
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            log.warning("%s: checked as far as %g seconds allow", path, CHECK_S)
            return "ok"
        if isinstance(error, sqlite3.OperationalError):
            raise
        return str(error)
    finally:
        timer.cancel()
        timer.join()


def _refuse(path: Path, message: str, expected: str, *, cause: Exception | None = None) -> NoReturn:
    problem = ConfigProblem(message, table="records", key="path", found=repr(str(path.absolute())), expected=expected)
    raise ConfigError([problem]) from cause
