"""A query that is read to its end."""

from __future__ import annotations

import pytest

from sentinel_core.records import Record
from sentinel_plugins.recording import pages
from sentinel_plugins.recording.pages import Pages
from sentinel_plugins.records.memory import MemoryRecords


@pytest.mark.parametrize("rows", [0, 1, 3, 6])
async def test_every_row_is_in_one_page(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    records = MemoryRecords()
    await records.append("t", [Record(str(number), "acme", float(number), {}) for number in range(rows)])
    found = [page async for page in Pages(records, "t", tenant="acme")]
    assert [record.id for page in found for record in page] == [str(number) for number in reversed(range(rows))]
    assert all(len(page) <= 3 for page in found)
