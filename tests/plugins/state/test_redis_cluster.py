"""The Redis store on a Cluster of three nodes (R05, R12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sentinel_core.errors import Refusal
from sentinel_core.state import Budget, Claim, Lease, Settlement, Window, state_key
from sentinel_plugins.redis.breaker import FAILURES
from sentinel_plugins.state.redis import RedisState
from tests.pace import AT_ONCE_S, until
from tests.plugins.state.redis_stores import redis_state
from tests.redis.binaries import EVERY_KIND
from tests.redis.cluster import Cluster, running_cluster

TENANTS = tuple(f"tenant-{number}" for number in range(30))
PERIOD_S = 60.0


@pytest_asyncio.fixture
async def store(redis_cluster: Cluster) -> AsyncIterator[RedisState]:
    async with redis_state(redis_cluster.url) as store:
        yield store


def claims(tenant: str) -> list[Claim]:
    """One of each kind, on keys of their own."""
    return [
        Window(state_key(tenant, "exact"), 3, PERIOD_S),
        Window(state_key(tenant, "gcra"), 5, PERIOD_S, algorithm="gcra"),
        Window(state_key(tenant, "slid"), 5, PERIOD_S, algorithm="sliding_window"),
        Lease(state_key(tenant, "lease"), 5, PERIOD_S),
        Budget(state_key(tenant, "money"), 5, 1, "may", PERIOD_S),
    ]


async def admitted(store: RedisState, tenant: str, name: str = "r") -> bool:
    return (await store.admit(state_key(tenant, name), claims(tenant))).admitted


async def test_r12_every_step_of_every_tenant_finds_its_node(store: RedisState, redis_cluster: Cluster) -> None:
    for tenant in TENANTS:
        assert [await admitted(store, tenant, str(number)) for number in range(4)] == [True, True, True, False]
        assert await store.settle(state_key(tenant, "0"), Settlement(nanousd=1)) == "settled"
        await store.set(state_key(tenant, "value"), tenant.encode(), ttl_s=PERIOD_S)
        assert await store.get(state_key(tenant, "value")) == tenant.encode()
        assert await store.increment(state_key(tenant, "hits"), ttl_s=PERIOD_S) == 1
    assert all(node.ask("DBSIZE") > len(TENANTS) for node in redis_cluster.nodes)
    assert store.available
    assert await store.ping() > 0.0


async def test_r12_names_without_a_tenant_are_a_mistake_before_anything_is_sent(store: RedisState) -> None:
    with pytest.raises(ValueError, match="names no tenant"):
        await store.admit("r", [Window("requests", 1, PERIOD_S)])
    with pytest.raises(ValueError, match="names no tenant"):
        await store.settle("r", Settlement())


async def test_r12_what_one_node_publishes_reaches_subscribers_at_another(
    store: RedisState, redis_cluster: Cluster
) -> None:
    other = f"redis://127.0.0.1:{redis_cluster.nodes[2].port}"
    async with redis_state(other) as far, far.subscribe("events") as messages:
        await store.publish("events", b"1")
        async with asyncio.timeout(AT_ONCE_S):
            assert (await anext(messages)).data == b"1"


async def test_r05_a_slot_that_moves_is_followed_and_learnt(store: RedisState, redis_cluster: Cluster) -> None:
    nomad = "nobody else's tenant, so that its slot may stay where it ends up"
    key = state_key(nomad, "value")
    target = (redis_cluster.owner(key) + 1) % 3
    redis_cluster.begin_move(key, target)
    await store.set(key, b"new", ttl_s=PERIOD_S)
    assert await store.get(key) == b"new"
    assert redis_cluster.nodes[target].ask("DBSIZE") == 1, "what is not at its old node is asked for at the new one"
    for _ in range(2 * FAILURES):
        with pytest.raises(Refusal, match="state_unavailable"):
            await admitted(store, nomad)  # a step needs all of its keys at one node
    assert store.available
    redis_cluster.end_move(key, target)
    assert await admitted(store, nomad)
    await until(lambda: not store._topology._slots._moved, 5.0)  # the nodes were asked
    address = store._topology._slots.owner(key.encode())
    assert address is not None
    assert address.port == redis_cluster.nodes[target].port


async def test_a_cluster_that_was_down_at_the_start_is_recognised_later(redis_cluster: Cluster) -> None:
    redis_cluster.nodes[0].freeze()
    try:
        async with redis_state(redis_cluster.url, timeout_s=0.25) as store:
            assert not store.available
            redis_cluster.nodes[0].thaw()
            await until(lambda: store.available and store._topology.clustered, 5.0)
            assert [number for family in store.counts for _, number in family.read()] == [1, 1], "lost, and back"
            assert all([await admitted(store, tenant) for tenant in TENANTS])
    finally:
        redis_cluster.nodes[0].thaw()


@pytest.mark.skipif(not EVERY_KIND, reason="SENTINEL_TEST_REDIS=all runs this: a Cluster takes seconds to notice")
async def test_r05_a_node_that_died_takes_its_own_tenants_down_and_no_others(redis_binary: str, tmp_path: Path) -> None:
    with running_cluster(redis_binary, tmp_path) as cluster:
        async with redis_state(cluster.url) as store:
            lost = [tenant for tenant in TENANTS if cluster.owner(state_key(tenant)) == 2]
            assert all([await admitted(store, tenant) for tenant in TENANTS])
            cluster.nodes[2].kill()
            while store.available:
                with pytest.raises(Refusal, match="state_unavailable"):
                    await admitted(store, lost[0], "again")
            for tenant in set(TENANTS) - set(lost):
                assert await admitted(store, tenant, "again")
            cluster.nodes[2].start()
            await until(lambda: store.available, 5.0)
            assert await admitted(store, lost[0])
