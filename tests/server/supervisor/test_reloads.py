"""Reloads that are asked for while one is under way."""

from __future__ import annotations

import asyncio
import logging

import pytest

from sentinel_core.testing import settle
from sentinel_server.supervisor.reloads import Reloads
from tests.pace import AT_ONCE_S


class Slow:
    """A reload that waits until it is told how it went, or given up."""

    def __init__(self) -> None:
        self.begun = 0
        self.outcome: asyncio.Future[str]
        self.reloads = Reloads(self.reload, self.give_up)

    async def reload(self) -> str:
        self.begun += 1
        self.outcome = asyncio.get_running_loop().create_future()
        return await self.outcome

    def give_up(self) -> None:
        if not self.outcome.done():
            self.outcome.set_result("given up")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is said of them."""
    caplog.set_level(logging.INFO, "sentinel.server")
    return caplog


async def over(slow: Slow) -> None:
    await asyncio.wait_for(slow.reloads.ended(), AT_ONCE_S)


async def test_s06_one_that_comes_meanwhile_takes_the_place_of_the_one_under_way(
    logged: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    slow.reloads.ask()
    await settle()
    slow.reloads.ask()
    assert slow.reloads.outdated
    assert "a reload is under way" in logged.text
    await settle()
    assert (slow.begun, slow.reloads.outdated) == (2, "")
    slow.outcome.set_result("")
    await over(slow)
    assert slow.begun == 2
    assert "refused" not in logged.text


async def test_s06_many_that_come_meanwhile_are_one(logged: pytest.LogCaptureFixture) -> None:
    slow = Slow()
    slow.reloads.ask()
    await settle()
    for _ in range(3):
        slow.reloads.ask()
    await settle()
    slow.outcome.set_result("")
    await over(slow)
    assert slow.begun == 2
    assert logged.text.count("a reload is under way") == 1


async def test_s06_one_that_is_refused_says_why_and_the_next_one_is_made(logged: pytest.LogCaptureFixture) -> None:
    slow = Slow()
    for problems in ("no such stage", ""):
        slow.reloads.ask()
        await settle()
        slow.outcome.set_result(problems)
        await over(slow)
    assert "reload refused, the configuration in force stays:\nno such stage" in logged.text
    assert slow.begun == 2


async def test_one_under_way_can_be_cancelled() -> None:
    slow = Slow()
    await slow.reloads.cancel()  # none is
    slow.reloads.ask()
    await settle()
    await slow.reloads.cancel()
    assert slow.outcome.cancelled()
