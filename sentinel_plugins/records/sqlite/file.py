"""The medium of the thread that writes: the file, and one transaction for everything that has gathered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from sentinel_plugins.records.sqlite.config import SqliteRecordsConfig
from sentinel_plugins.records.sqlite.writes import Work, run


class File:
    """One transaction for each group. It connects anew after a failure, which so leaves nothing behind.

    It stays with the file that it began with: what is written to one that was moved or deleted meanwhile is lost.
    """

    def __init__(
        self, config: SqliteRecordsConfig, connect: Callable[[SqliteRecordsConfig], sqlite3.Connection]
    ) -> None:
        self._config = config
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._path = Path(config.path)
        self._identity = self._found()

    def commit(self, gather: Callable[[], Sequence[Work]]) -> Sequence[int]:
        """All of it or nothing; what came of each: rows for a `Put` or `Delete`."""
        if self._found() != self._identity:
            raise OSError("another file has taken its place; put it back, or restart")
        try:
            connection = self._connection = self._connection or self._connect(self._config)
            connection.execute("BEGIN IMMEDIATE")
            results = list(run(connection, gather()))
            connection.execute("COMMIT")
        except BaseException:  # with the connection goes the transaction, whatever broke it
            self.close()
            raise
        return results

    def close(self) -> None:
        """Give up the connection, and with it a transaction that has not ended."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _found(self) -> tuple[int, int]:
        found = self._path.stat()
        return (found.st_dev, found.st_ino)
