"""Connections to the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.wal import beside

OLDEST = (3, 38, 0)
"""SQLite's version that has the operator `->`."""
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


def looking(config: SqliteRecordsConfig) -> sqlite3.Connection:
    """A connection that leaves the file, and what stands beside it, as they are.

    Without a log everything is in the file and nobody has it open. SQLite then reads it without making a log of its
    own, also in a folder that cannot be written. It takes no lock: what a gateway writes that starts meanwhile is not
    seen.
    """
    path = Path(config.path)
    mode = "mode=ro" if beside(path).exists() else "mode=ro&immutable=1"
    return connect(path, busy_timeout_s=config.query_timeout_s, mode=mode)
