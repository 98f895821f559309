"""When a second call is made, who wins, and that the loser leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_core.chain import Exchange
from sentinel_core.context import Context
from sentinel_core.errors import UpstreamError
from sentinel_core.testing import HANG, Driven, FakeProvider, StageConformance, completion, run, settle
from sentinel_plugins.hedge.config import HedgeConfig
from sentinel_plugins.hedge.credit import MOST, Credit
from sentinel_plugins.hedge.stage import Hedge
from sentinel_plugins.routing.stage import PROVIDER_HEADER
from tests.plugins.targets import Targets, targets

WELL = ("well",)
DELAY_S = 2.0


class TestHedgeConformance(StageConformance):
    stage = Hedge


async def slow(live: Targets, *, stream: bool = False) -> Driven:
    """One request, with the hedge's delay passed."""
    task = asyncio.create_task(run(live.chain, live.context(stream=stream)))
    await settle(20)
    await live.clock.advance(DELAY_S)
    async with asyncio.timeout(5.0):
        driven = await task
    await live.tracker.drained()
    return driven


def endings(ctx: Context | None) -> list[tuple[str, str | None]]:
    assert ctx is not None
    return [(attempt.target.provider, attempt.ending) for attempt in ctx.attempts]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_silent_target_gets_a_rival_and_loses(stream: bool) -> None:
    first, second = FakeProvider(HANG), FakeProvider(WELL)
    before = asyncio.all_tasks()
    async with targets({"a": first, "b": second}, routing={}, hedge={}, retry={}, breaker={}) as live:
        driven = await slow(live, stream=stream)
        assert driven.ctx is not None
        assert (driven.text, driven.ctx.headers[PROVIDER_HEADER]) == ("well", "b")
        assert endings(driven.ctx) == [("a", "discarded"), ("b", "completed")]
        assert asyncio.all_tasks() == before


async def test_a_quick_reply_has_no_rival() -> None:
    first, second = FakeProvider(WELL), FakeProvider(WELL)
    async with targets({"a": first, "b": second}, routing={}, hedge={}) as live:
        driven = await live.ask()
        await live.clock.advance(10 * DELAY_S)
        assert driven.ctx is not None
        assert (driven.text, driven.ctx.headers[PROVIDER_HEADER], second.calls) == ("well", "a", [])


async def test_a_quick_failure_is_left_to_the_stages_around_it() -> None:
    error = UpstreamError("upstream_error", upstream_status=500)
    async with targets({"a": FakeProvider(error)}, hedge={}) as live:
        assert (await live.ask()).error is error


async def test_without_another_target_the_same_one_is_called_again() -> None:
    up = FakeProvider(HANG, completion("well"))
    async with targets({"a": up}, hedge={}) as live:
        assert (await slow(live)).text == "well"
        assert [call.attempt for call in up.calls] == [1, 2]


async def test_a_rival_that_fails_leaves_the_first_call_running() -> None:
    gate = asyncio.Event()
    error = UpstreamError("upstream_error", upstream_status=500)
    up = {"a": FakeProvider((gate, "late")), "b": FakeProvider(error)}
    async with targets(up, hedge={}, routing={}) as live:
        task = asyncio.create_task(run(live.chain, live.context()))
        await settle(20)
        await live.clock.advance(DELAY_S)
        assert not task.done()
        gate.set()
        assert (await task).text == "late"


async def test_where_both_fail_the_first_ones_error_counts() -> None:
    gate = asyncio.Event()
    late, quick = UpstreamError("upstream_timeout"), UpstreamError("overloaded")
    up = {"a": FakeProvider((gate, late)), "b": FakeProvider(quick)}
    async with targets(up, hedge={}) as live:
        task = asyncio.create_task(run(live.chain, live.context()))
        await settle(20)
        await live.clock.advance(DELAY_S)
        gate.set()
        assert (await task).error is late


async def test_a_caller_who_leaves_ends_both_calls() -> None:
    up = {"a": FakeProvider(HANG), "b": FakeProvider(HANG)}
    before = asyncio.all_tasks()
    async with targets(up, routing={}, hedge={}, breaker={}) as live:
        exchange = Exchange(live.chain, live.context())
        task = asyncio.create_task(exchange.__aenter__())
        await settle(20)
        await live.clock.advance(DELAY_S)
        assert [len(provider.calls) for provider in up.values()] == [1, 1]
        task.cancel()
        await asyncio.wait([task])
        await live.tracker.drained()
        assert endings(exchange.ctx) == [("a", "discarded"), ("b", "discarded")]
        assert asyncio.all_tasks() == before


async def test_extra_load_is_capped() -> None:
    first, second = FakeProvider(HANG), FakeProvider(WELL)
    async with targets({"a": first, "b": second}, routing={}, hedge={"max_extra": 1 / 16}) as live:
        tasks = [asyncio.create_task(run(live.chain, live.context())) for _ in range(100)]
        await settle(20)
        await live.clock.advance(DELAY_S)
        assert len(second.calls) == 7  # the one that a process begins with, and a sixteenth of a hundred
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await live.tracker.drained()


def test_a_time_limit_for_its_own_code_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        HedgeConfig(timeout_s=1.0)


def test_credit_is_not_saved_up_for_ever() -> None:
    credit = Credit()
    for _ in range(10_000):
        credit.earn(0.05)
    assert sum(credit.spend() for _ in range(100)) == int(MOST)
