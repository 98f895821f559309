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


async def test_pages_of_large_rows_have_fewer_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 1_000)
    records = MemoryRecords()
    sizes = [1] * 1_000 + [400] * 100 + [5_000] * 5
    rows = [Record(str(number), "", float(number), {"content": {"request": "x" * n}}) for number, n in enumerate(sizes)]
    await records.append("t", rows)
    found = [len(page) async for page in Pages(records, "t", tenant=None)]
    assert sum(found) == len(rows)
    assert found[0] == pages.FIRST, "how large they are is not known yet"
    assert found[1] == 1, "a page may be one row"
    assert found[2] == 2
    assert max(found) == pages.PAGE
