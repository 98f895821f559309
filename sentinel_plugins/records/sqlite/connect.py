"""Connections to the file."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.wal import beside

OLDEST = (3, 38, 0)
"""SQLite's version that has the operator `->`."""
ALONE = "mode=ro&immutable=1"
"""A mode without locks: nobody is seen who writes meanwhile."""
_STATEMENTS = 256


def connect(path: Path, *, busy_timeout_s: float, mode: str = "mode=rw") -> sqlite3.Connection:
    """A connection to a file that exists, without transactions of its own making; usable on any one thread at a time.

    It waits `busy_timeout_s` for the locks of other connections. `mode` is SQLite's (https://www.sqlite.org/uri.html).
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )


def writing(config: SqliteRecordsConfig) -> sqlite3.Connection:
    """The connection that writes. Callers' own patience is shorter than the time it waits for another process."""
    connection = connect(Path(config.path), busy_timeout_s=max(5.0, config.timeout_s))
    connection.execute(f"PRAGMA synchronous = {config.synchronous.upper()}")
    return connection


def reading(config: SqliteRecordsConfig) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = connect(Path(config.path), busy_timeout_s=config.query_timeout_s)
    connection.execute("PRAGMA query_only = ON")
    return connection


def looking(config: SqliteRecordsConfig, mode: str) -> sqlite3.Connection:
    """A connection that writes no rows, in the mode of `quiet_mode`."""
    connection = connect(Path(config.path), busy_timeout_s=config.query_timeout_s, mode=mode)
    connection.execute("PRAGMA query_only = ON")
    return connection


def quiet_mode(path: Path) -> str:
    """The mode of connections that leave the file, and what stands beside it, as they are.

    Rows in a log are read there, and stay there. Where there are none SQLite needs a log all the same, so as to hold to
    the locks of a gateway that starts meanwhile: it takes it away again if it may write. Where it may not, and there is
    no log, it reads the file `ALONE`.
    """
    log = seen(beside(path))
    if not all(os.access(place, os.W_OK) for place in (path, path.absolute().parent)):
        return "mode=ro" if log else ALONE
    return "mode=ro" if log and log[0] else "mode=rw"


def seen(path: Path) -> tuple[int, int] | None:
    """A file's size and the time of its last change; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_size, found.st_mtime_ns)
