"""Two gateways on one Redis: one limit, one budget, not one each (replays 3 and 6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import zip_longest

import pytest

from sentinel_core.limits import NANO, Limits
from sentinel_core.testing import FakeClock, completion
from tests.plugins.rate_limit.scene import Scene, caller, code, scene
from tests.plugins.state.redis_stores import redis_state
from tests.redis.server import RedisServer

ANSWER = completion("ok", usage={"prompt_tokens": 0, "completion_tokens": 100, "total_tokens": 100})
COST = 100 * 10_000
"""Nano-dollars of that answer."""


@asynccontextmanager
async def fleet(server: RedisServer, gateways: int, clocks: Sequence[FakeClock] = ()) -> AsyncIterator[list[Scene]]:
    """Gateways with connections of their own, and with clocks of their own where a test has some."""
    server.ask("FLUSHALL")
    async with AsyncExitStack() as stack:
        opened = []
        for clock, _ in zip_longest(clocks, range(gateways)):
            store = await stack.enter_async_context(redis_state(server.url, timeout_s=10.0))
            table = {"max_requests": "unlimited"}
            opened.append(await stack.enter_async_context(scene(table, ANSWER, state=store, clock=clock)))
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


MIDNIGHTS = ("2028-02-29", "2028-03-01", "2027-03-01", "2026-12-01", "2027-01-01")


@pytest.mark.parametrize("midnight", MIDNIGHTS)
async def test_d07_replicas_whose_clocks_differ_by_ten_seconds_reset_each_budget_exactly_once(
    redis_server: RedisServer, midnight: str
) -> None:
    """One request fits into each period. For ten seconds the fast one is in the next period and the slow one is not."""
    who = caller(of_tenant=Limits(daily_usd=(COST + 50_000) / NANO, monthly_usd=(3 * COST + 50_000) / NANO))
    end = datetime.fromisoformat(midnight).replace(tzinfo=UTC).timestamp()
    clocks = [FakeClock(end - 12 + skew) for skew in (5, -5)]
    passed: list[float] = []
    async with fleet(redis_server, 2, clocks) as gateways:
        for _ in range(24):
            for gateway in gateways:
                at = gateway.clock.time()
                if code(await gateway.ask(who, max_tokens=100)) is None:
                    passed.append(at)
                await gateway.clock.advance(1)
    assert [at >= end for at in passed] == [False, True]


async def test_d07_a_months_budget_begins_anew_on_the_first_and_not_on_the_29th(redis_server: RedisServer) -> None:
    who = caller(of_tenant=Limits(monthly_usd=(COST + 50_000) / NANO))
    days = ("2028-02-28T12:00", "2028-02-29T00:00", "2028-02-29T23:59:58", "2028-03-01T00:00", "2028-03-31T23:59:59")
    times = [datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() for day in days]
    clocks = [FakeClock(times[0] + skew) for skew in (1, -1)]
    codes: list[list[str | None]] = []
    async with fleet(redis_server, 2, clocks) as gateways:
        for time in times:
            for gateway in gateways:
                await gateway.clock.advance(max(0.0, time - gateway.clock.time()))
            codes.append([code(await gateway.ask(who, max_tokens=100)) for gateway in gateways])
    spent = "insufficient_quota"
    assert codes == [[None, spent], [spent, spent], [spent, spent], [None, spent], [spent, spent]]
