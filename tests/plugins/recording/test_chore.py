"""What is done again and again."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.testing import FakeClock, settle
from sentinel_plugins.recording.chore import repeated

log = logging.getLogger("sentinel.tests")


@pytest.mark.parametrize("failure", [Refusal("ledger_unavailable"), KeyError("a field that was not expected")])
async def test_a_failure_is_said_and_the_chore_is_done_again_in_its_turn(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    clock, done = FakeClock(), 0

    async def work() -> None:
        nonlocal done
        done += 1
        if done == 1:
            raise failure

    task = asyncio.create_task(repeated(work, 60.0, clock, log, "it stays for now"))
    await settle()
    assert (done, "it stays for now" in caplog.text) == (1, True)
    await clock.advance(59)
    assert done == 1
    await clock.advance(1)
    assert done == 2
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
