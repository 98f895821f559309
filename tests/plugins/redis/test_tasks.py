"""Work in the background ends with its store, and its failure is heard."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_core.testing.fake_clock import settle
from sentinel_plugins.redis.tasks import Tasks


async def breaking() -> None:
    raise KeyError("mistake")


async def lasting() -> None:
    await asyncio.Event().wait()


async def test_a_task_that_fails_is_logged_and_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    other = tasks.start(lasting())
    tasks.start(breaking())
    await settle()
    (record,) = caplog.records
    assert "failed and is over" in record.message
    assert "breaking" in record.message
    assert record.exc_info is not None
    assert not other.done()
    await tasks.close()
    assert other.cancelled()
    assert len(caplog.records) == 1
