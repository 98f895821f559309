"""A reload while the record store is busy: no row of the ledger or of the audit goes, and the chain stays whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sentinel_plugins.audit.seal import Keys
from tests.plugins.audit.verified import verify
from tests.plugins.recording.written import rows
from tests.plugins.records.opened import sqlite_table
from tests.plugins.usage.ledger import books

KEY = "a key of the tests"


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Another process writes, and takes its time."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_rows_that_wait_for_a_busy_store_outlive_reloads(tmp_path: Path) -> None:
    table = sqlite_table(tmp_path, timeout_s=0.05)
    (tmp_path / "key").write_text(KEY)
    async with books(records=table, audit={"key": {"file": str(tmp_path / "key")}}) as b:
        await b.ask(stream=False)
        await b.rows()
        with locked(table["path"]):
            for _ in range(2):
                await b.ask(stream=False)
                await b.gateway.reload()
            await b.ask(stream=False)
        assert len(await rows(b.gateway.records, "usage", 4)) == 4
        entries = await rows(b.gateway.records, "audit", 4, kind="terminal")
    found = verify(list(reversed(entries)), Keys(KEY.encode()), None)
    assert (found.records, found.findings) == (4, ())
