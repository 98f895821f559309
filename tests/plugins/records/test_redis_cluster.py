"""Names of keys: tenants apart, and each table on one node of a Cluster (R12)."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from sentinel_core.records import TENANT
from sentinel_plugins.records.redis.keys import TableKeys
from tests.pace import until
from tests.plugins.records.opened import redis, row
from tests.redis.server import RedisServer, running_server

TABLE = "usage"
NAMES = st.text(max_size=8) | st.sampled_from(["", "{", "}", "{}", "a:b", "rows:1:a", "1:a"])


@given(tables=st.tuples(NAMES, NAMES), tenants=st.tuples(NAMES, NAMES))
def test_z13_no_two_tables_or_tenants_share_a_name(tables: tuple[str, str], tenants: tuple[str, str]) -> None:
    owners = [(table, tenant) for table in set(tables) for tenant in set(tenants)]
    names = [name for table, tenant in owners for name in TableKeys("p:", table).of(tenant)]
    shared = [name for table in set(tables) for name in (TableKeys("p:", table).tenants, TableKeys("p:", table).times)]
    assert len({*names, *shared}) == len(names) + len(shared)


@given(table=NAMES, tenants=st.lists(NAMES, max_size=5))
def test_r12_the_names_of_one_step_lie_on_one_node(table: str, tenants: list[str]) -> None:
    names, places = TableKeys("p:", table).all(tenants)
    assert len({key_slot(name) for name in names}) == 1
    assert all(names[places[tenant] - 1] == TableKeys("p:", table).of(tenant).rows for tenant in tenants)


async def formed(server: RedisServer) -> None:
    """Wait until the node says that its slots are all there."""
    await until(lambda: b"cluster_state:ok" in server.ask("CLUSTER", "INFO"))


async def test_r12_a_cluster_takes_every_step(redis_binary: str, tmp_path: Path) -> None:
    """One node with all slots refuses names of several slots as many nodes do."""
    with running_server(redis_binary, tmp_path, "--cluster-enabled", "yes") as server:
        server.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await formed(server)
        async with redis(server, tmp_path) as store:
            rows = [row(number, tenant=f"t{number % 3}", cost=1) for number in range(30)]
            await store.append(TABLE, rows)
            await store.append("audit", rows)
            assert len((await store.query(TABLE, tenant=None, limit=20)).records) == 20
            assert len((await store.query(TABLE, tenant="t1")).records) == 10
            assert await store.get(TABLE, None, "row-4") == rows[4]
            assert await store.put(TABLE, row(4, tenant="t1"), expect=rows[4])
            groups = await store.aggregate(TABLE, tenant=None, group_by=[TENANT], sums=["cost"])
            assert sorted(group.sums[0] for group in groups) == [9, 10, 10]
            assert await store.delete(TABLE, until=15.0) == 15
            assert await store.delete(TABLE, until=20.0, ids=[f"row-{number}" for number in range(25)]) == 5
            assert len((await store.query(TABLE, tenant=None)).records) == 10
