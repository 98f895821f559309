"""All or nothing, reservations, leases, budgets and the ends of things in the memory store (P1, P3)."""

from __future__ import annotations

import logging

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.state import Budget, Lease, Settlement, Window
from sentinel_plugins.state.memory import MemoryState, MemoryStateConfig
from sentinel_plugins.state.memory.reservations import GONE_TTL_S
from tests.plugins.state.manual_time import ManualTime

WINDOW = Window("requests", limit=10, period_s=60.0)
LEASE = Lease("concurrency", limit=1, ttl_s=600.0)
BUDGET = Budget("money", limit_nanousd=1_000, reserve_nanousd=400, period="may", ttl_s=600.0)
NOTHING = Settlement()


def rows(store: MemoryState) -> tuple[int, ...]:
    """How much the store keeps."""
    tables = (store._values, store._windows, store._leases, store._budgets, store._reservations)
    return tuple(len(table) for table in tables)


async def test_p1_if_any_claim_is_denied_none_is_charged(store: MemoryState) -> None:
    await store.admit("holder", [LEASE])
    denied = await store.admit("second", [WINDOW, LEASE, BUDGET])
    assert not denied.admitted
    assert [state.admitted for state in denied.claims] == [True, False, True]
    assert [state.remaining for state in denied.claims] == [10, 0, 1_000]
    assert await store.settle("second", NOTHING) == "unknown"


async def test_l10_keys_that_are_denied_or_only_read_make_no_state(store: MemoryState) -> None:
    for number in range(1_000):
        await store.admit(f"r{number}", [Window(f"key-{number}", limit=0, period_s=60.0)])
        await store.admit(f"r{number}", [Lease(f"key-{number}", limit=0, ttl_s=60.0)])
        await store.admit(f"r{number}", [Budget(f"key-{number}", 0, 1, "may", 60.0)])
        await store.get(f"key-{number}")
    assert rows(store) == (0, 0, 0, 0, 0)


async def test_a_step_that_counts_twice_in_one_place_is_a_mistake(store: MemoryState) -> None:
    with pytest.raises(ValueError, match="same place"):
        await store.admit("r", [WINDOW, Window("requests", limit=5, period_s=60.0)])
    assert rows(store) == (0, 0, 0, 0, 0)


async def test_a_reservation_is_settled_once(store: MemoryState) -> None:
    await store.admit("r", [BUDGET])
    assert await store.settle("r", Settlement(nanousd=100)) == "settled"
    assert await store.settle("r", Settlement(nanousd=100)) == "unknown"
    assert (await store.admit("next", [BUDGET])).claims[0].remaining == 500


async def test_an_open_reservation_is_not_admitted_again(store: MemoryState) -> None:
    await store.admit("r", [WINDOW])
    again = await store.admit("r", [WINDOW])
    assert not again.admitted
    assert [(state.admitted, state.remaining, state.retry_after_s) for state in again.claims] == [(False, 9, None)]


async def test_a_request_that_ended_before_it_was_admitted_is_denied(store: MemoryState, clock: ManualTime) -> None:
    assert await store.settle("late", NOTHING) == "unknown"
    late = await store.admit("late", [WINDOW, LEASE])
    assert not late.admitted
    assert [state.retry_after_s for state in late.claims] == [None, None]
    clock.advance(GONE_TTL_S)
    assert (await store.admit("late", [WINDOW, LEASE])).admitted


async def test_a_lease_ends_when_it_is_settled(store: MemoryState) -> None:
    await store.admit("first", [LEASE])
    assert not (await store.admit("second", [LEASE])).admitted
    await store.settle("first", NOTHING)
    assert (await store.admit("second", [LEASE])).admitted


async def test_a_lease_that_nobody_settles_ends_by_itself(store: MemoryState, clock: ManualTime) -> None:
    await store.admit("first", [LEASE])
    (state,) = (await store.admit("second", [LEASE])).claims
    assert state.retry_after_s == 600.0
    clock.advance(600.0)
    assert (await store.admit("second", [LEASE])).admitted


async def test_p3_committed_and_reserved_money_stay_within_the_limit(store: MemoryState) -> None:
    assert (await store.admit("first", [BUDGET])).claims[0].remaining == 600
    assert (await store.admit("second", [BUDGET])).claims[0].remaining == 200
    assert not (await store.admit("third", [BUDGET])).admitted
    await store.settle("first", Settlement(nanousd=50))
    assert (await store.admit("third", [BUDGET])).claims[0].remaining == 150


async def test_p3_a_reservation_that_nobody_settles_returns(store: MemoryState, clock: ManualTime) -> None:
    for number in range(2):
        await store.admit(str(number), [BUDGET])
    (state,) = (await store.admit("third", [BUDGET])).claims
    assert state.retry_after_s == 600.0
    clock.advance(600.0)
    assert (await store.admit("third", [BUDGET])).claims[0].remaining == 600


async def test_p3_waiting_does_not_bring_back_spent_money(store: MemoryState) -> None:
    await store.admit("first", [BUDGET])
    await store.settle("first", Settlement(nanousd=900))
    (state,) = (await store.admit("second", [BUDGET])).claims
    assert (state.remaining, state.reset_s, state.retry_after_s) == (100, 0.0, None)


async def test_p3_money_spent_after_the_reservation_ended_is_committed(store: MemoryState, clock: ManualTime) -> None:
    await store.admit("slow", [BUDGET, Window("hour", limit=9, period_s=3_600.0)])
    clock.advance(600.0)
    assert await store.settle("slow", Settlement(nanousd=700)) == "settled"
    assert (await store.admit("next", [BUDGET])).claims[0].remaining == 300


async def test_p3_a_request_that_costs_nothing_is_never_blocked(store: MemoryState) -> None:
    await store.admit("first", [BUDGET])
    await store.settle("first", Settlement(nanousd=5_000))
    free = Budget("money", limit_nanousd=1_000, reserve_nanousd=0, period="may", ttl_s=600.0)
    assert (await store.admit("free", [free])).admitted


async def test_p3_another_period_starts_at_zero(store: MemoryState) -> None:
    await store.admit("first", [BUDGET])
    june = Budget("money", limit_nanousd=1_000, reserve_nanousd=1_000, period="june", ttl_s=600.0)
    assert (await store.admit("second", [june])).admitted


@pytest.mark.parametrize("kind", [Window, Lease])
async def test_l10_what_has_ended_leaves_memory(
    store: MemoryState, clock: ManualTime, kind: type[Window] | type[Lease]
) -> None:
    for number in range(100):
        await store.admit(str(number), [kind(f"key-{number}", 10, 60.0)])
    clock.advance(60.0)
    for number in range(20):
        await store.admit(f"later-{number}", [Window("one", limit=100, period_s=60.0)])
    assert rows(store) == (0, 20, 0, 0, 20)


async def test_l10_a_long_window_keeps_no_short_ones_in_memory(store: MemoryState, clock: ManualTime) -> None:
    await store.admit("day", [Window("day", limit=100, period_s=86_400.0)])
    await store.admit("minute", [Window("minute", limit=100, period_s=60.0)])
    clock.advance(30.0)
    await store.admit("again", [Window("day", limit=100, period_s=86_400.0)])
    clock.advance(60.0)
    await store.admit("later", [Window("later", limit=100, period_s=60.0)])
    assert len(store._windows) == 3


async def test_l10_window_logs_are_bounded_and_the_loss_is_said(
    clock: ManualTime, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryState(MemoryStateConfig(max_entries=100), now=clock)
    with caplog.at_level(logging.WARNING, logger="sentinel.state"):
        for number in range(1_000):
            await store.admit(str(number), [Window(f"key-{number}", limit=1, period_s=60.0)])
            await store.settle(str(number), NOTHING)
    assert len(store._windows) == 100
    assert [record.getMessage() for record in caplog.records] == [
        "[state] max_entries = 100 is reached: rate limits of the least recently active keys start anew; "
        "raise it, or share state in another store"
    ]


async def test_l10_open_reservations_are_bounded_by_refusing(clock: ManualTime) -> None:
    store = MemoryState(MemoryStateConfig(max_entries=2), now=clock)
    for number in range(2):
        await store.admit(str(number), [Lease(f"key-{number}", limit=1, ttl_s=60.0)])
    with pytest.raises(Refusal, match="state_unavailable"):
        await store.admit("third", [WINDOW])
    await store.settle("0", NOTHING)
    assert (await store.admit("third", [WINDOW])).admitted


async def test_l10_budgets_and_ids_marked_as_gone_are_bounded(clock: ManualTime) -> None:
    store = MemoryState(MemoryStateConfig(max_entries=10), now=clock)
    for number in range(100):
        await store.admit(str(number), [Budget(f"key-{number}", 10, 1, "may", 60.0)])
        await store.settle(str(number), NOTHING)
        await store.settle(f"gone-{number}", NOTHING)
    assert rows(store) == (0, 0, 0, 10, 0)
    assert len(store._reservations._gone) == 10
