"""Several gateways, one Redis: limits hold for all of them together (L12, P1, P3)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from sentinel_core.state import Budget, Claim, Lease, Settlement, StateStore, Window, state_key
from sentinel_plugins.state.memory import MemoryState
from tests.long_form import long_form
from tests.plugins.state.hammer import Worker, workers
from tests.plugins.state.redis_stores import redis_state
from tests.redis.server import RedisServer

PROCESSES = 4
RUNS = 3
EACH = 250


@pytest.fixture(scope="module")
def fleet() -> Iterator[list[Worker]]:
    """Four processes."""
    with workers(PROCESSES) as fleet:
        yield fleet


@pytest.fixture(
    params=[
        pytest.param("", id="free"),
        pytest.param("-script", id="no script", marks=long_form),
        pytest.param("-evalsha -script", id="no evalsha", marks=long_form),
    ]
)
def url(request: pytest.FixtureRequest, redis_server: RedisServer) -> str:
    """A login at the server, and what it may not do."""
    user = f"fleet{len(request.param)}"
    redis_server.ask("ACL", "SETUSER", user, "reset", "on", "nopass", "~*", "&*", "+@all", *request.param.split())
    return redis_server.url.replace("//", f"//{user}:any@")


def together(fleet: Sequence[Worker], url: str, name: str, each: int, *claims: Claim) -> int:
    """How many are admitted if all processes ask at the same time."""
    for worker in fleet:
        worker.begin((url, name, each, claims))
    return sum(worker.admitted() for worker in fleet)


def test_l12_r07_four_processes_admit_exactly_the_limit_in_each_of_three_runs(fleet: list[Worker], url: str) -> None:
    limits = [Window(state_key("acme", "requests", str(run)), 100, 60.0) for run in range(RUNS)]
    assert [together(fleet, url, str(run), EACH, limit) for run, limit in enumerate(limits)] == [100] * RUNS


def test_p3_at_the_edge_of_a_budget_one_call_gets_it(fleet: list[Worker], redis_url: str) -> None:
    budget = Budget(state_key("acme", "money"), 1_000, 600, "may", 60.0)
    assert together(fleet, redis_url, "edge", 50, budget) == 1


def test_p1_leases_and_the_other_algorithms_hold_for_all_processes(fleet: list[Worker], redis_url: str) -> None:
    key, hour = state_key("acme", "all"), 3_600.0
    assert together(fleet, redis_url, "leases", 25, Lease(key, 7, hour)) == 7
    assert together(fleet, redis_url, "gcra", 25, Window(key, 20, hour, algorithm="gcra")) == 20
    assert together(fleet, redis_url, "slid", 25, Window(key, 20, hour, algorithm="sliding_window")) == 20


async def test_the_leases_of_a_process_that_was_killed_end_with_their_time(redis_url: str) -> None:
    lease = Lease(state_key("acme", "concurrency"), 3, ttl_s=1.5)  # longer than it takes to kill the holder and to ask
    with workers(1) as (holder,):
        assert await asyncio.to_thread(together, [holder], redis_url, "held", 5, lease) == 3
        holder.kill()
        async with redis_state(redis_url) as store:
            denied = await store.admit(state_key("acme", "too early"), [lease])
            assert not denied.admitted
            await asyncio.sleep(denied.claims[0].retry_after_s or 0.0)
            later = [await store.admit(state_key("acme", f"later-{number}"), [lease]) for number in range(4)]
    assert [admission.admitted for admission in later] == [True, True, True, False]


async def thousand(store: StateStore) -> list[int]:
    """How many of a thousand calls are admitted with room for a hundred, and again when a third of those is settled
    for nothing."""
    budget = Budget(state_key("acme", "money"), 100 * 7, 7, "may", 60.0)
    first = [state_key("acme", f"first-{number}") for number in range(1_000)]
    answers = await asyncio.gather(*(store.admit(reservation, [budget]) for reservation in first))
    admitted = [reservation for reservation, answer in zip(first, answers, strict=True) if answer.admitted]
    await asyncio.gather(*(store.settle(reservation, Settlement(nanousd=0)) for reservation in admitted[::3]))
    again = (store.admit(state_key("acme", f"again-{number}"), [budget]) for number in range(1_000))
    return [len(admitted), sum(answer.admitted for answer in await asyncio.gather(*again))]


@long_form
async def test_p3_of_a_thousand_calls_with_room_for_a_hundred_a_hundred_pass_on_redis(
    redis_server: RedisServer,
) -> None:
    async with redis_state(redis_server.url) as store:
        assert await thousand(store) == [100, 34]


async def test_p3_of_a_thousand_calls_with_room_for_a_hundred_a_hundred_pass_in_memory() -> None:
    assert await thousand(MemoryState()) == [100, 34]
