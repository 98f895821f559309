"""pytest fixtures of the kit: `pytest_plugins = ["sentinel_core.testing.plugin"]`."""

from __future__ import annotations

import pytest

from sentinel_core.testing.fake_clock import FakeClock
from sentinel_core.testing.fake_provider import FakeProvider


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def fake_provider() -> FakeProvider:
    """A provider that says Hello until it is told otherwise."""
    return FakeProvider()
