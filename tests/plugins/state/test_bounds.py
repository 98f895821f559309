"""No schedule gets more through than docs/reference/state.md says, and some get just that (P1)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.state import Algorithm
from tests.plugins.state.bounds import (
    ALGORITHMS,
    MOVES,
    PERIOD,
    PUBLISHED,
    Adversary,
    Move,
    bound,
    steady,
    window,
)
from tests.plugins.state.drivers import Driver, MemoryDriver, RedisDriver
from tests.plugins.state.store_machine import TICK
from tests.properties import promised
from tests.redis.binaries import kinds
from tests.redis.server import RedisServer

LIMITS = st.integers(1, 6)
BURSTS = st.none() | st.integers(1, 8)
TICKS = st.integers(0, 64).map(TICK.__mul__)


def attack(store: Driver, algorithm: Algorithm, limit: int, burst: int | None, moves: Sequence[Move]) -> None:
    try:
        adversary = Adversary(store)
        adversary.play([window(algorithm, limit, move.cost, burst) for move in moves], moves)
        assert adversary.most() <= bound(window(algorithm, limit, burst=burst))
    finally:
        store.close()


def test_p1_the_bound_of_every_algorithm_is_published() -> None:
    assert set(PUBLISHED) == set(ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@promised()
@given(limit=LIMITS, burst=BURSTS, moves=MOVES)
def test_p1_no_schedule_beats_the_bound_in_memory(
    algorithm: Algorithm, limit: int, burst: int | None, moves: list[Move]
) -> None:
    attack(MemoryDriver(), algorithm, limit, burst, moves)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_p1_no_schedule_beats_the_bound_on_redis(algorithm: Algorithm, redis_server: RedisServer) -> None:
    @promised(among=5 * len(kinds()))
    @given(limit=LIMITS, burst=BURSTS, moves=MOVES)
    def attacked(limit: int, burst: int | None, moves: list[Move]) -> None:
        attack(RedisDriver(redis_server), algorithm, limit, burst, moves)

    attacked()


@pytest.mark.parametrize(("algorithm", "reached"), [("exact", 10), ("gcra", 19), ("sliding_window", 19)])
def test_p1_a_bound_is_no_looser_than_it_must_be(algorithm: Algorithm, reached: int) -> None:
    """All at once at the end of a period, then as soon as possible until a period has passed."""
    adversary = Adversary(MemoryDriver())
    claim = window(algorithm, 10)
    moves = [Move(PERIOD - TICK, 0, 1), *[Move(TICK, 0, 1)] * 63]
    adversary.play([claim] * len(moves), moves)
    assert adversary.most() == reached
    # A bucket of 10 has earned its tenth unit back when the half-open period is just over.
    assert reached == bound(claim) - (algorithm == "gcra")


REFILL = [Move(0, 0, 10), Move(57 * TICK, 0, 1, "oldest", 0), *[Move(TICK, 0, 1)] * 63]
"""Reserve, wait until most of it has left the bucket, settle for nothing, and take all that there is."""


def test_p1_units_that_left_a_bucket_do_not_return_to_it_in_memory() -> None:
    attack(MemoryDriver(), "gcra", 10, None, REFILL)


def test_p1_units_that_left_a_bucket_do_not_return_to_it_on_redis(redis_server: RedisServer) -> None:
    attack(RedisDriver(redis_server), "gcra", 10, None, REFILL)


@promised()
@given(algorithm=st.sampled_from(ALGORITHMS), limit=st.integers(2, 6), arrivals=st.integers(1, 40), start=TICKS)
def test_p1_requests_within_the_published_rate_are_all_admitted(
    algorithm: Algorithm, limit: int, arrivals: int, start: int
) -> None:
    claim = window(algorithm, limit, burst=1)
    adversary = Adversary(store := MemoryDriver())
    store.move_clock(start)
    for _ in range(arrivals):
        assert adversary.ask(claim)
        store.move_clock(TICK * -(-PERIOD // TICK // steady(claim)))  # whole ticks, which floats hold exactly
