"""A memory store on a clock that the test moves."""

from __future__ import annotations

import pytest

from sentinel_plugins.state.memory import MemoryState
from tests.plugins.state.manual_time import ManualTime


@pytest.fixture
def clock() -> ManualTime:
    """Time that stands still."""
    return ManualTime()


@pytest.fixture
def store(clock: ManualTime) -> MemoryState:
    """An empty store on that clock."""
    return MemoryState(now=clock)
