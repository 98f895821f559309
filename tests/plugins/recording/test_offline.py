"""Commands at the record store: nobody stands behind them, so they wait for a slow one."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.records import Record
from sentinel_plugins.recording.offline import answered, records_of
from sentinel_plugins.records.sqlite import SqliteRecordsConfig

ROW = Record("row", "acme", 1.0, {})


def configured(**records: str) -> Gateway:
    """A gateway that is not opened, with such a table of records."""
    return Gateway(settings_from({"providers": {"echo": {"models": ["m"]}}, "records": records}))


async def test_a_command_waits_longer_for_the_disk_than_a_request_may(tmp_path: Path) -> None:
    async with records_of(configured(kind="sqlite", path=str(tmp_path / "rows.db"), synchronous="normal")) as records:
        with closing(sqlite3.connect(tmp_path / "rows.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(4 * SqliteRecordsConfig().timeout_s, other.execute, "ROLLBACK")
            await records.append("usage", [ROW])
        assert await records.get("usage", "acme", "row") == ROW


def test_rows_that_end_with_their_process_are_nothing_for_a_command() -> None:
    with pytest.raises(ConfigError, match="durable"):
        answered(configured(kind="memory"), lambda records: records.get("usage", None, "row"))
