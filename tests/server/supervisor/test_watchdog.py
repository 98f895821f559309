"""A loop that stands still is noticed from outside."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

import pytest

from sentinel_server.supervisor.watchdog import Watchdog
from tests.pace import PATIENCE_S

SHORT_S = 0.1


def compute(until: Callable[[], bool]) -> None:
    """Holds the loop's thread, as a stage without an executor does."""
    deadline = time.monotonic() + PATIENCE_S
    while not until() and time.monotonic() < deadline:
        time.sleep(0.001)


async def test_s05_a_blocked_loop_is_logged_once_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "sentinel.server")
    with Watchdog(SHORT_S):
        compute(lambda: bool(caplog.records))
        later = time.monotonic() + 2 * SHORT_S
        compute(lambda: time.monotonic() > later)
    (record,) = caplog.records
    assert "stood still" in record.getMessage()
    assert "compute (" in record.getMessage()


async def test_s05_the_next_standstill_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "sentinel.server")
    with Watchdog(SHORT_S):
        compute(lambda: len(caplog.records) == 1)
        for _ in range(3):  # the loop runs again, and with it the beat that is overdue
            await asyncio.sleep(0)
        compute(lambda: len(caplog.records) == 2)
    assert len(caplog.records) == 2


async def test_the_watchdog_leaves_no_thread() -> None:
    with Watchdog():
        assert any(thread.name == "sentinel-watchdog" for thread in threading.enumerate())
    assert not any(thread.name == "sentinel-watchdog" for thread in threading.enumerate())
