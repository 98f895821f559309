"""Sliding windows of the memory store (P1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.state import Settlement, Window
from sentinel_plugins.state.memory import MemoryState
from tests.plugins.state.manual_time import TICK_S, ManualTime
from tests.plugins.state.one_step import one_step
from tests.properties import promised

MINUTE = Window("acme", limit=3, period_s=60.0)


@promised()
@given(
    limit=st.integers(1, 6),
    arrivals=st.lists(st.tuples(st.sampled_from([0.0, TICK_S, 0.5, 1.0 - TICK_S, 1.0]), st.integers(1, 4))),
)
def test_p1_no_window_of_its_length_holds_more_than_the_limit(limit: int, arrivals: list[tuple[float, int]]) -> None:
    clock = ManualTime()
    store = MemoryState(now=clock)
    admitted: list[tuple[float, int]] = []
    for number, (pause, cost) in enumerate(arrivals):
        clock.advance(pause)
        if one_step(store.admit(str(number), [Window("acme", limit, 1.0, cost)])).admitted:
            admitted.append((clock(), cost))
    for start, _ in admitted:
        assert sum(cost for at, cost in admitted if start <= at < start + 1.0) <= limit


@promised()
@given(limit=st.integers(1, 5), arrivals=st.integers(1, 40))
def test_p1_requests_within_the_rate_are_all_admitted(limit: int, arrivals: int) -> None:
    clock = ManualTime()
    store = MemoryState(now=clock)
    window = Window("acme", limit, period_s=float(limit))
    for number in range(arrivals):
        assert one_step(store.admit(str(number), [window])).admitted
        clock.advance(1.0)


@promised()
@given(
    start=st.floats(1.0, 1e6),
    pauses=st.lists(st.floats(0.0, 20.0), min_size=3, max_size=3),
)
def test_p1_retry_after_is_tight_at_any_time_of_day(start: float, pauses: list[float]) -> None:
    for late, admitted in ((0.0, True), (-0.05, False)):
        clock = ManualTime(start)
        store = MemoryState(now=clock)
        for number, pause in enumerate(pauses):
            assert one_step(store.admit(str(number), [MINUTE])).admitted
            clock.advance(pause / 2)
        wait = one_step(store.admit("denied", [MINUTE])).claims[0].retry_after_s
        assert wait is not None
        clock.advance(wait + late)
        assert one_step(store.admit("again", [MINUTE])).admitted is admitted


async def test_the_state_of_a_claim_counts_down(store: MemoryState, clock: ManualTime) -> None:
    await store.admit("first", [MINUTE])
    clock.advance(10.0)
    (state,) = (await store.admit("second", [MINUTE])).claims
    assert (state.remaining, state.reset_s, state.admitted, state.retry_after_s) == (1, 60.0, True, None)


async def test_a_cost_above_the_limit_gets_no_retry_advice(store: MemoryState) -> None:
    (state,) = (await store.admit("big", [Window("acme", limit=3, period_s=60.0, cost=4)])).claims
    assert not state.admitted
    assert state.retry_after_s is None


async def test_two_periods_on_one_key_are_two_limits(store: MemoryState, clock: ManualTime) -> None:
    claims = [Window("acme", limit=1, period_s=1.0), Window("acme", limit=2, period_s=60.0)]
    assert (await store.admit("first", claims)).admitted
    clock.advance(1.0)
    assert (await store.admit("second", claims)).admitted
    clock.advance(1.0)
    third = await store.admit("third", claims)
    assert [state.admitted for state in third.claims] == [True, False]


async def test_units_settle_to_what_was_used(store: MemoryState) -> None:
    tokens = Window("tokens", limit=100, period_s=60.0, cost=80)
    await store.admit("first", [MINUTE, tokens])
    await store.settle("first", Settlement(units=(("tokens", 30),)))
    second = await store.admit("second", [MINUTE, Window("tokens", limit=100, period_s=60.0, cost=70)])
    assert second.admitted
    assert [state.remaining for state in second.claims] == [1, 0]


async def test_a_refund_never_exceeds_what_was_reserved(store: MemoryState) -> None:
    tokens = Window("tokens", limit=100, period_s=60.0, cost=80)
    await store.admit("first", [tokens])
    await store.settle("first", Settlement(units=(("tokens", -1_000),)))
    (state,) = (await store.admit("big", [Window("tokens", limit=100, period_s=60.0, cost=101)])).claims
    assert state.remaining == 100


async def test_more_than_reserved_is_owed_until_it_leaves_the_window(store: MemoryState) -> None:
    tokens = Window("tokens", limit=100, period_s=60.0, cost=10)
    await store.admit("first", [tokens])
    await store.settle("first", Settlement(units=(("tokens", 150),)))
    (state,) = (await store.admit("second", [tokens])).claims
    assert (state.admitted, state.remaining, state.retry_after_s) == (False, 0, 60.0)


async def test_settling_after_the_entry_left_its_window_charges_nothing(store: MemoryState, clock: ManualTime) -> None:
    tokens = Window("tokens", limit=100, period_s=60.0, cost=10)
    await store.admit("first", [tokens, Window("hour", limit=9, period_s=3_600.0)])
    clock.advance(60.0)
    assert (await store.admit("second", [tokens])).claims[0].remaining == 90
    assert await store.settle("first", Settlement(units=(("tokens", 90),))) == "settled"
    assert (await store.admit("third", [tokens])).claims[0].remaining == 80


async def test_p1_a_clock_that_is_set_back_frees_nothing_and_freezes_nothing(
    store: MemoryState, clock: ManualTime
) -> None:
    for number in range(3):
        await store.admit(str(number), [MINUTE])
    clock.advance(-86_400.0)
    assert (await store.admit("denied", [MINUTE])).claims[0].retry_after_s == 60.0
    clock.advance(60.0)
    assert (await store.admit("admitted", [MINUTE])).admitted


@pytest.mark.parametrize("cost", [-1, -100])
async def test_a_negative_cost_is_a_mistake(store: MemoryState, cost: int) -> None:
    with pytest.raises(ValueError, match="asks for -"):
        await store.admit("refund", [Window("acme", limit=3, period_s=60.0, cost=cost)])
