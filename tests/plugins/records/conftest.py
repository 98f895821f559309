"""Fixtures: a test that asks for `records` runs on every store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sentinel_core.records import RecordStore
from tests.plugins.records.opened import Opener, memory, sqlite

KINDS = ("memory", "sqlite")


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """How to open one of the stores, the same one again each time."""
    if request.param == "memory":
        return memory
    return lambda: sqlite(tmp_path)


@pytest.fixture
async def records(opener: Opener) -> AsyncIterator[RecordStore]:
    """An empty, open store."""
    async with opener() as store:
        yield store
