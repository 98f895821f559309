"""Two gateways on one Redis: one limit, one budget, not one each (replays 3 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sentinel_core.limits import NANO, Limits
from sentinel_core.testing import completion
from tests.plugins.rate_limit.scene import Scene, caller, code, scene
from tests.plugins.state.redis_stores import redis_state
from tests.redis.server import RedisServer

ANSWER = completion("ok", usage={"prompt_tokens": 0, "completion_tokens": 100, "total_tokens": 100})
COST = 100 * 10_000
"""Nano-dollars of that answer."""


@asynccontextmanager
async def fleet(server: RedisServer, gateways: int) -> AsyncIterator[list[Scene]]:
    """Gateways with connections of their own."""
    server.ask("FLUSHALL")
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(gateways):
            store = await stack.enter_async_context(redis_state(server.url, timeout_s=10.0))
            table = {"max_requests": "unlimited"}
            opened.append(await stack.enter_async_context(scene(table, ANSWER, state=store)))
        yield opened


async def test_replay_3_of_50_at_once_on_two_gateways_at_most_one_is_admitted_where_one_fits(
    redis_server: RedisServer,
) -> None:
    who = caller(of_tenant=Limits(total_usd=(1.1 * COST + 50_000) / NANO))
    async with fleet(redis_server, 2) as (one, two):
        driven = await asyncio.gather(*(s.ask(who, max_tokens=100) for s in (one, two) for _ in range(25)))
        assert sum(each.error is None for each in driven) == 1
        assert {code(each) for each in driven} == {None, "insufficient_quota"}
        assert len(one.provider.calls) + len(two.provider.calls) == 1


async def test_l12_replay_6_a_rate_is_one_for_the_fleet_also_where_scripts_were_forgotten(
    redis_server: RedisServer,
) -> None:
    who = caller(of_key=Limits(requests_per_minute=100))
    async with fleet(redis_server, 2) as (one, two):
        first = await asyncio.gather(*(s.ask(who) for s in (one, two) for _ in range(25)))
        redis_server.ask("SCRIPT", "FLUSH")
        second = await asyncio.gather(*(s.ask(who) for s in (one, two) for _ in range(100)))
        assert sum(each.error is None for each in (*first, *second)) == 100


async def test_p3_what_one_gateway_spent_is_spent_for_the_other(redis_server: RedisServer) -> None:
    who = caller(of_key=Limits(daily_usd=(2 * COST + 50_000) / NANO))
    async with fleet(redis_server, 2) as (one, two):
        codes = [code(await s.ask(who, max_tokens=100)) for s in (one, two, one)]
        assert codes == [None, None, "insufficient_quota"]
