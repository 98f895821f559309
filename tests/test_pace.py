"""The limits of time themselves: they let through what is on time, and nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.pace import in_time


async def given(value: int, after_s: float) -> int:
    await asyncio.sleep(after_s)
    return value


async def test_what_is_on_time_gives_its_result() -> None:
    assert await in_time(given(1, 0.01), 5) == 1


async def test_what_still_waits_has_missed_its_limit() -> None:
    with pytest.raises(AssertionError, match=r"not over within 0\.05 s"):
        await in_time(given(1, 60), 0.05)


async def test_a_machine_that_stands_still_makes_nobody_late() -> None:
    asyncio.get_running_loop().call_soon(time.sleep, 0.2)  # blocks the loop past both of the times
    assert await in_time(given(1, 0.05), 0.1) == 1
