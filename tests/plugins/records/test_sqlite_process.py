"""A gateway with a file: what keeps it from starting, and what it keeps."""

from __future__ import annotations

from pathlib import Path

from tests.long_form import long_form
from tests.server.process import config, running

RECORDS = '[records]\nkind = "sqlite"\npath = "{}"\n'


@long_form
async def test_s07_a_file_that_cannot_be_made_is_named_and_nothing_is_served(tmp_path: Path) -> None:
    text = config() + "\n" + RECORDS.format("/proc/sentinel.db")
    async with running(tmp_path, text, ready=False) as process:
        assert await process.exited() == 2
        assert "[records] path: cannot be used" in process.output
        assert "/proc/sentinel.db" in process.output
        assert "Sentinel serves on" not in process.output
        assert "Traceback" not in process.output


@long_form
async def test_d04_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    file.write_bytes(b"what is left of a ledger" * 1_000)
    async with running(tmp_path, config() + "\n" + RECORDS.format("ledger.db"), ready=False) as process:
        assert await process.exited() == 2
        assert "[records] path: is damaged" in process.output
    assert file.read_bytes() == b"what is left of a ledger" * 1_000
