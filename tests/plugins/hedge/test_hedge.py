"""When a second call is made, who wins, and that the loser leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_core.chain import Exchange
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import SERVED_BY, Target
from sentinel_core.reply import Reply
from sentinel_core.reroute import reroute_of
from sentinel_core.stage import Stage
from sentinel_core.testing import HANG, Driven, FakeProvider, StageConformance, completion, run, settle
from sentinel_core.usage import Usage
from sentinel_plugins.hedge.config import HedgeConfig
from sentinel_plugins.hedge.credit import MOST, Credit
from sentinel_plugins.hedge.stage import Hedge
from sentinel_plugins.routing.stage import PROVIDER_HEADER
from tests.pace import PATIENCE_S
from tests.plugins import targets as behind
from tests.plugins.targets import Targets, targets

WELL = ("well",)
DELAY_S = 2.0


class TestHedgeConformance(StageConformance):
    stage = Hedge


class Opening(FakeProvider):
    """Streams once its gate is open: as an upstream does whose first content takes its time."""

    def __init__(self, gate: asyncio.Event, *items: str | UpstreamError) -> None:
        super().__init__(items or ("a",))
        self.gate = gate

    async def call(self, call: Call) -> Reply:
        await self.gate.wait()
        return await super().call(call)


async def slow(live: Targets, *, stream: bool = False) -> Driven:
    """One request, with the hedge's delay passed."""
    task = asyncio.create_task(run(live.chain, live.context(stream=stream)))
    await settle(20)
    await live.clock.advance(DELAY_S)
    async with asyncio.timeout(PATIENCE_S):
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


async def test_a_rival_that_fails_beside_the_first_ones_reply_is_no_failover() -> None:
    gate = asyncio.Event()
    up = {"a": Opening(gate, "late"), "b": FakeProvider(UpstreamError("upstream_error", upstream_status=500))}
    async with targets(up, routing={}, hedge={}) as live:
        ctx = await raced(live, gate)
        assert endings(ctx) == [("a", "completed"), ("b", "failed")]
        assert reroute_of(ctx) == ((), Target("a", "fake"))


class Again(Stage):
    """Asks once more."""

    name = "again"

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        await call_next(call)
        reply: Reply = await call_next(call)
        return reply


async def test_what_a_request_is_served_by_is_said_of_its_latest_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "KINDS", {"again": Again, **behind.KINDS})
    up = {"a": FakeProvider(HANG, completion("well")), "b": FakeProvider(completion("rival"))}
    async with targets(up, again={}, routing={}, hedge={}) as live:
        driven = await slow(live)
        assert driven.ctx is not None
        assert (driven.text, driven.ctx[SERVED_BY]) == ("well", Target("a", "fake"))
        assert driven.ctx.headers[PROVIDER_HEADER] == "a"


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
        assert not late.should_retry, "two calls were made: the caller's SDK makes no more"


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


async def raced(
    live: Targets, *gates: asyncio.Event, later: asyncio.Event | None = None, stream: bool = False
) -> Context:
    """One request whose both calls are under way before these gates open, and then the later one."""
    ctx = live.context(stream=stream)
    task = asyncio.create_task(run(live.chain, ctx))
    await settle(20)
    await live.clock.advance(DELAY_S)
    for gate in gates:
        gate.set()
    if later is not None:
        await settle(20)
        later.set()
    async with asyncio.timeout(PATIENCE_S):
        await task
    await live.tracker.drained()
    return ctx


@pytest.mark.parametrize("stream", [False, True])
async def test_a_first_call_that_wins_after_all_is_the_one_that_answered(stream: bool) -> None:
    gate = asyncio.Event()
    up = {"a": Opening(gate, "late"), "b": FakeProvider(HANG)}
    async with targets(up, routing={}, hedge={}, retry={}, breaker={}) as live:
        ctx = await raced(live, gate, stream=stream)
        assert endings(ctx) == [("a", "completed"), ("b", "discarded")]
        assert (reroute_of(ctx).used, reroute_of(ctx).occurred) == (Target("a", "fake"), False)


async def test_of_two_answers_at_one_time_the_loser_is_discarded_and_its_cost_is_known() -> None:
    gate = asyncio.Event()
    up = {"a": FakeProvider((gate, "one")), "b": FakeProvider((gate, "two"))}
    async with targets(up, routing={}, hedge={}, retry={}, breaker={}) as live:
        ctx = await raced(live, gate)
        assert endings(ctx) == [("a", "completed"), ("b", "discarded")]
        assert [row.usage for row in ctx.attempts] == [Usage(3, 2, 5)] * 2


async def test_of_two_streams_at_one_time_the_loser_is_closed_before_anything_is_read_of_it() -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    up = {"a": Opening(gates[0]), "b": Opening(gates[1])}
    async with targets(up, routing={}, hedge={}, retry={}, breaker={}) as live:
        ctx = await raced(live, *gates, stream=True)
        assert endings(ctx) == [("a", "completed"), ("b", "discarded")]
        assert [(provider.opened, provider.closed, provider.pulled > 0) for provider in up.values()] == [
            (1, 1, True),
            (1, 1, False),
        ]


async def test_a_stream_that_breaks_after_it_won_is_the_failure_of_its_own_target() -> None:
    broken = UpstreamError("upstream_stream_interrupted")
    gate = asyncio.Event()
    up = {"a": Opening(gate, "late", broken), "b": FakeProvider(HANG)}
    async with targets(up, routing={}, hedge={}, retry={}, breaker={}) as live:
        ctx = await raced(live, gate, stream=True)
        assert [(row.target.provider, row.ending, row.error) for row in ctx.attempts] == [
            ("a", "failed", "upstream_stream_interrupted"),
            ("b", "discarded", None),
        ]


async def test_p10_two_legs_that_retry_make_no_more_calls_than_one() -> None:
    gate = asyncio.Event()
    reset = UpstreamError("upstream_connection_reset")
    up = FakeProvider((gate, reset))
    async with targets({"a": up}, routing={}, hedge={}, retry={"base_delay_s": 1.0}) as live:
        task = asyncio.create_task(run(live.chain, live.context()))
        await settle(20)
        await live.clock.advance(DELAY_S)
        assert len(up.calls) == 2
        gate.set()
        await settle(20)
        await live.clock.advance(60.0)
        driven = await task
        assert isinstance(driven.error, UpstreamError)
        assert (len(up.calls), driven.error.should_retry) == (3, False)


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
