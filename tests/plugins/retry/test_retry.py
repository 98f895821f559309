"""When a call is repeated, when it is not, and that repetitions stay within their budget."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.testing import FakeProvider, StageConformance, run, settle
from sentinel_plugins.retry.budget import ALWAYS, WINDOW_S, RetryBudget
from sentinel_plugins.retry.config import RetryConfig
from sentinel_plugins.retry.delay import delay_s
from sentinel_plugins.retry.stage import Retry
from tests.plugins.targets import Targets, targets
from tests.properties import promised

LONG_S = 200.0


class TestRetryConformance(StageConformance):
    stage = Retry


def reset() -> UpstreamError:
    return UpstreamError("upstream_connection_reset")


async def after(live: Targets, *, stream: bool = False, deadline_s: float | None = None) -> SentinelError | str | None:
    """What came of one request, with all waits passed: its error, or its text."""
    task = asyncio.create_task(run(live.chain, live.context(stream=stream, deadline_s=deadline_s)))
    await settle()
    await live.clock.advance(LONG_S)
    driven = await task
    return driven.error or driven.text


async def test_u04_a_reset_before_the_answer_is_repeated() -> None:
    up = FakeProvider(reset(), ("well",))
    async with targets({"a": up}, retry={}) as live:
        assert await after(live) == "well"
        assert [call.attempt for call in up.calls] == [1, 2]


async def test_three_attempts_and_then_nobody_else_shall_retry() -> None:
    up = FakeProvider(reset())
    async with targets({"a": up}, retry={}) as live:
        error = await after(live)
        assert isinstance(error, UpstreamError)
        assert (error.code, error.should_retry, len(up.calls)) == ("upstream_connection_reset", False, 3)


async def test_u17_a_repetition_that_meets_an_open_circuit_does_not_hide_the_call_that_was_made() -> None:
    up = FakeProvider(reset())
    hair_trigger = {"failure_threshold": 1, "recovery_timeout_s": 2 * LONG_S}
    async with targets({"a": up}, routing={}, retry={}, breaker=hair_trigger) as live:
        error = await after(live)
        assert isinstance(error, UpstreamError)
        assert (error.code, error.should_retry, len(up.calls)) == ("upstream_connection_reset", True, 1)


@pytest.mark.parametrize(
    "error",
    [
        UpstreamError("invalid_request", status=400, upstream_status=400),
        UpstreamError("model_not_found", upstream_status=404),
        UpstreamError("upstream_error", upstream_status=409),
        UpstreamError("upstream_auth_error", upstream_status=401),
        UpstreamError("overloaded", upstream_status=402, wire_code="upstream_quota", should_retry=False),
        UpstreamError("upstream_tls_error"),
        UpstreamError("upstream_redirect", upstream_status=307),
        UpstreamError("upstream_timeout"),
        UpstreamError("circuit_open", attempted=False),
        UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=99_999.0),
    ],
    ids=lambda error: f"{error.code}-{error.upstream_status}",
)
async def test_what_will_not_go_better_is_not_repeated(error: UpstreamError) -> None:
    up, advice = FakeProvider(error), error.should_retry
    async with targets({"a": up}, retry={}) as live:
        assert await after(live) is error
        assert (len(up.calls), error.should_retry) == (1, advice)


async def test_u16_the_same_target_is_not_called_before_its_retry_after() -> None:
    up = FakeProvider(UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=7.5), ("well",))
    async with targets({"a": up}, retry={}) as live:
        task = asyncio.create_task(run(live.chain, live.context()))
        await settle()
        await live.clock.advance(7.4)
        assert len(up.calls) == 1
        await live.clock.advance(0.1)
        assert (await task).text == "well"


async def test_p10_no_wait_passes_the_deadline() -> None:
    up = FakeProvider(UpstreamError("overloaded", upstream_status=503, retry_after_s=10.0))
    async with targets({"a": up}, retry={}) as live:
        driven = await live.ask(deadline_s=9.0)
        assert isinstance(driven.error, UpstreamError)
        assert len(up.calls) == 1


async def test_p10_nothing_is_repeated_after_the_first_byte() -> None:
    up = FakeProvider(("a", reset()), ("again",))
    async with targets({"a": up}, retry={}) as live:
        driven = await live.ask(stream=True)
        assert (driven.text, len(up.calls)) == ("a", 1)
        assert isinstance(driven.error, UpstreamError)


async def test_c04_a_caller_who_leaves_during_the_wait_causes_no_further_call() -> None:
    up = FakeProvider(UpstreamError("overloaded", retry_after_s=5.0))
    async with targets({"a": up}, retry={}) as live:
        for _ in range(2 * ALWAYS):
            task = asyncio.create_task(run(live.chain, live.context()))
            await settle()
            task.cancel()
            await asyncio.wait([task])
            await live.clock.advance(WINDOW_S + 1)
        assert len(up.calls) == 2 * ALWAYS
        up.script(reset(), ("well",))
        assert await after(live) == "well"


@pytest.mark.parametrize("count", [1, 10, 30, 100, 300])
async def test_p10_a_storm_of_failures_stays_within_the_budget(count: int) -> None:
    up = FakeProvider(reset())
    async with targets({"a": up}, retry={}) as live:
        tasks = [asyncio.create_task(run(live.chain, live.context())) for _ in range(count)]
        await settle(20)
        await live.clock.advance(LONG_S)
        await asyncio.gather(*tasks)
    assert len(up.calls) <= count * 1.1 + ALWAYS


@promised()
@given(steps=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), max_size=40))
def test_p10_the_budget_holds_in_any_order(steps: list[tuple[int, int]]) -> None:
    budget, admitted, drawn = RetryBudget(), 0, 0
    for enters, draws in steps:
        for _ in range(enters):
            budget.enter(1.0, first=True)
            admitted += 1
        for _ in range(draws):
            if budget.draw(1.0, 0.1):
                drawn += 1
                budget.give_back()
        assert drawn <= 0.1 * admitted + ALWAYS


def test_p10_no_more_than_a_tenth_of_what_is_in_flight_is_repeated_at_one_time() -> None:
    budget = RetryBudget()
    for _ in range(100):
        budget.enter(1.0, first=True)
    assert sum(budget.draw(1.0, 0.1) for _ in range(100)) == 10
    for _ in range(60):
        budget.leave()
    budget.give_back()
    assert not budget.draw(1.0, 0.1)


def test_what_was_drawn_long_ago_is_forgotten() -> None:
    budget = RetryBudget()
    for _ in range(ALWAYS):
        assert budget.draw(1.0, 0.0)
        budget.give_back()
    assert not budget.draw(1.0 + WINDOW_S - 1, 0.0)
    assert budget.draw(1.0 + WINDOW_S, 0.0)


@given(repetition=st.integers(0, 2000), wait=st.none() | st.floats(0, 120))
def test_s0_18_waits_are_jittered_doubled_and_capped(repetition: int, wait: float | None) -> None:
    delay = delay_s(RetryConfig(), repetition, wait)
    assert (wait or 0.0) <= delay <= max(wait or 0.0, min(40.0, 2.0 ** min(repetition, 10)))


@pytest.mark.parametrize(("repetition", "bound_s"), [(0, 1.0), (1, 2.0), (3, 8.0), (9, 40.0)])
def test_s0_18_the_jitter_is_full_from_nothing_to_the_bound(repetition: int, bound_s: float) -> None:
    delays = sorted(delay_s(RetryConfig(), repetition, None) for _ in range(1000))
    assert delays[0] < 0.05 * bound_s
    assert 0.4 * bound_s < delays[500] < 0.6 * bound_s
    assert 0.95 * bound_s < delays[-1] <= bound_s


async def test_each_attempt_has_a_call_of_its_own_that_nobody_can_change() -> None:
    first, second = FakeProvider(reset()), FakeProvider(reset(), ("well",))
    async with targets({"a": first, "b": second}, routing={}, retry={}) as live:
        assert await after(live) == "well"
    calls = [*first.calls, *second.calls]
    assert [(call.attempt, call.target.provider) for call in calls] == [(1, "a"), (2, "b"), (3, "b")]
    assert len({id(call) for call in calls}) == 3
    for name in ("request", "target", "attempt", "deadline"):
        with pytest.raises(AttributeError):
            setattr(calls[0], name, None)
    with pytest.raises(AttributeError):
        calls[0].request.model = "another"  # type: ignore[misc]  # the point of this test


async def test_p10_a_deadline_that_passes_while_a_call_is_under_way_ends_the_tries() -> None:
    gate = asyncio.Event()
    up = FakeProvider((gate, reset()))
    async with targets({"a": up, "b": FakeProvider(("late",))}, routing={}, retry={}) as live:
        task = asyncio.create_task(run(live.chain, live.context(deadline_s=5.0)))
        await settle()
        await live.clock.advance(5.0)
        gate.set()
        driven = await task
        assert isinstance(driven.error, UpstreamError)
        assert driven.ctx is not None
        assert len(driven.ctx.attempts) == 1


def test_a_time_limit_for_its_own_code_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        RetryConfig(timeout_s=1.0)


def test_s0_18_the_defaults() -> None:
    config = RetryConfig()
    assert (config.max_attempts, config.base_delay_s, config.max_delay_s, config.budget) == (3, 1.0, 40.0, 0.1)
