"""What is in the file, and the steps that lead there from each earlier version."""

from __future__ import annotations

import sqlite3

LEDGER = "usage"
"""The table that budgets are compared with."""
APPLICATION_ID = 0x53_4E_54_4C
"""SQLite's mark of whose file it is: `SNTL` (https://www.sqlite.org/pragma.html#pragma_application_id)."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE records (
            number INTEGER PRIMARY KEY,
            "table" TEXT NOT NULL,
            id TEXT NOT NULL,
            tenant TEXT NOT NULL,
            at REAL NOT NULL,
            record TEXT NOT NULL,
            UNIQUE ("table", id)
        ) STRICT""",
        'CREATE INDEX records_by_time ON records ("table", at, id)',
        'CREATE INDEX records_by_tenant ON records ("table", tenant, at, id)',
    ),
    (
        """CREATE INDEX records_spent ON records (
            "table",
            tenant,
            at,
            record -> '$.fields.key',
            record -> '$.fields.user',
            record -> '$.fields.principal',
            record -> '$.fields.model',
            CASE WHEN json_type(record, '$.fields.cost_nanousd') = 'integer'
                AND typeof(json_extract(record, '$.fields.cost_nanousd')) = 'integer'
            THEN json_extract(record, '$.fields.cost_nanousd') ELSE 0 END
        ) WHERE "table" = 'usage'""",
    ),
)
"""The statements that lead from each version to the next; a file's version is SQLite's `user_version`.

What a budget asks the ledger, whose calls and what they cost, is all in one index, so that a look reads no rows. SQLite
takes it for expressions that are written in the same way: those of `conditions`.

`record` is the whole row as JSON; the other columns are what it is found by. An entry never changes once it was
released: files that exist have run it.
"""

VERSION = len(MIGRATIONS)
PATIENCE_S = 600.0
"""How long whoever finds an older file waits for somebody else who takes it to this version."""


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def application_of(connection: sqlite3.Connection) -> int:
    """Whose file it is; 0 where nobody said."""
    found: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Take a file to the present version, in one step: other processes see the old one or the new one.

    Fails also at the present version where the file cannot be written.
    """
    if version_of(connection) < VERSION:
        connection.execute(f"PRAGMA busy_timeout = {round(PATIENCE_S * 1000)}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for version, statements in enumerate(MIGRATIONS[version_of(connection) :], version_of(connection) + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:  # also where the process is asked to stop: no half of a schema
        connection.rollback()
        raise
