"""A cancellation that was asked for ends its task; one that nobody asked for is a failure of who raised it."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_core.cancellation import own_failure, unasked
from sentinel_core.errors import Refusal
from sentinel_core.testing import settle


@pytest.mark.parametrize("exc", [ValueError(), TimeoutError(), Refusal("draining")])
async def test_an_exception_is_a_failure_and_no_cancellation(exc: Exception) -> None:
    assert (own_failure(exc), unasked(exc)) == (True, False)


@pytest.mark.parametrize("exc", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
async def test_a_request_to_end_is_neither(exc: BaseException) -> None:
    assert (own_failure(exc), unasked(exc)) == (False, False)


@pytest.mark.parametrize("asked", [True, False])
async def test_a_cancellation_is_a_failure_where_nobody_asked_for_it(asked: bool) -> None:
    found: list[tuple[bool, bool]] = []
    inner = asyncio.get_running_loop().create_future()

    async def waits() -> None:
        try:
            await inner
        except asyncio.CancelledError as exc:
            found.append((own_failure(exc), unasked(exc)))

    task = asyncio.create_task(waits())
    await settle()
    if asked:
        task.cancel()
    else:
        inner.cancel()
    await task
    assert found == [(not asked, not asked)]
