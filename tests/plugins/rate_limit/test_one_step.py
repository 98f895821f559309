"""Work that is begun outside of a task ends as if it had run in one."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_plugins.rate_limit.one_step import begun


async def test_what_never_waits_leaves_nothing() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    assert begun(work()) is None
    assert done == [1]


async def test_what_waits_goes_on_in_the_task_that_awaits_it() -> None:
    gate, steps = asyncio.Event(), list[str]()

    async def work() -> None:
        steps.append("begun")
        await gate.wait()
        await asyncio.sleep(0)
        steps.append("ended")

    rest = begun(work())
    assert rest is not None
    assert steps == ["begun"]
    gate.set()
    await rest
    assert steps == ["begun", "ended"]


async def test_a_failure_and_a_cancellation_reach_the_work_and_who_awaits_it() -> None:
    seen: list[str] = []

    async def work(gate: asyncio.Future[None]) -> None:
        try:
            await gate
        except (ValueError, asyncio.CancelledError) as exc:
            seen.append(type(exc).__name__)
            raise

    failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    rest = begun(work(failing))
    assert rest is not None
    failing.set_exception(ValueError())
    with pytest.raises(ValueError):
        await rest

    async def waiting() -> None:
        rest = begun(work(asyncio.get_running_loop().create_future()))
        assert rest is not None
        await rest

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["ValueError", "CancelledError"]
