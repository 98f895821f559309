"""The wait that a call named when it failed beside another is kept, whatever became of that one (U16)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from sentinel_core.context import Context
from sentinel_core.errors import UpstreamError
from sentinel_core.keys import FAILOVER, PLAN, SERVED_BY, Target
from sentinel_core.testing import FakeProvider
from tests.plugins.hedge.test_hedge import WELL, Opening, raced
from tests.plugins.targets import Targets, targets

LIMITED = UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=60.0)


@pytest.mark.parametrize("stream", [False, True])
async def test_u16_a_first_call_whose_rival_replies_has_failed_and_its_target_rests(stream: bool) -> None:
    failed, replied = asyncio.Event(), asyncio.Event()
    first, second = Opening(failed), Opening(replied, "well")
    first.script(LIMITED)
    async with targets({"a": first, "b": second}, routing={}, hedge={}, retry={}, breaker={}) as live:
        ctx = await raced(live, failed, later=replied, stream=stream)
        assert (ctx[FAILOVER], ctx[SERVED_BY]) == ((Target("a", "fake"),), Target("b", "fake"))
        assert (await live.ask()).text == "well"
        assert len(first.calls) == 1


async def test_u16_a_rival_that_fails_beside_a_reply_rests_and_is_no_failover() -> None:
    failed, replied = asyncio.Event(), asyncio.Event()
    first, second = Opening(replied, "well"), Opening(failed)
    second.script(LIMITED)
    async with targets({"a": first, "b": second}, routing={}, hedge={}, breaker={}) as live:
        ctx = await raced(live, failed, later=replied)
        assert (ctx[FAILOVER], SERVED_BY in ctx) == ((), False)
        after = (await live.ask()).ctx
        assert after is not None
        assert after[PLAN] == (Target("a", "fake"),)


LATE = UpstreamError("upstream_timeout")


async def raced_and_failed(live: Targets, up: Mapping[str, Opening]) -> Context:
    """One request: the rival `b` is limited, then the first call `a` runs out of time."""
    up["a"].script(LATE)
    up["b"].script(LIMITED, WELL)
    return await raced(live, up["b"].gate, later=up["a"].gate)


async def test_u16_a_rival_that_fails_before_the_first_call_does_is_left_alone_for_the_wait_that_it_named() -> None:
    up = {name: Opening(asyncio.Event()) for name in "ab"}
    async with targets(up, routing={}, hedge={}, breaker={}) as live:
        await raced_and_failed(live, up)
        assert [len(provider.calls) for provider in up.values()] == [1, 1]
        up["a"].script(WELL)
        after = (await live.ask()).ctx
        assert after is not None
        assert after[PLAN] == (Target("a", "fake"),)


async def test_u16_after_both_have_failed_the_next_target_replies_and_both_were_passed() -> None:
    up = {name: Opening(asyncio.Event()) for name in "ab"}
    async with targets({**up, "c": FakeProvider(WELL)}, routing={}, hedge={}, breaker={}) as live:
        ctx = await raced_and_failed(live, up)
        assert ctx[FAILOVER] == (Target("a", "fake"), Target("b", "fake"))
        assert [row.target.provider for row in ctx.attempts] == ["a", "b", "c"]
        await live.clock.advance(59.0)
        up["a"].script(WELL)
        after = (await live.ask()).ctx
        assert after is not None
        assert after[PLAN] == (Target("a", "fake"), Target("c", "fake"))
        await live.clock.advance(1.0)
        again = (await live.ask()).ctx
        assert again is not None
        assert Target("b", "fake") in again[PLAN]


async def test_u16_the_wait_that_a_second_call_at_the_same_target_named_is_kept() -> None:
    gate = asyncio.Event()
    up = {"a": FakeProvider((gate, LATE), LIMITED), "b": FakeProvider(WELL)}
    async with targets(up, routing={}, hedge={}) as live:
        both, live.candidates = live.candidates, live.candidates[:1]
        await raced(live, later=gate)
        live.candidates = both
        after = (await live.ask()).ctx
        assert after is not None
        assert after[PLAN] == (Target("b", "fake"),)


async def test_a_rival_that_named_no_wait_has_its_turn_after_both_have_failed() -> None:
    up = {name: Opening(asyncio.Event()) for name in "ab"}
    async with targets(up, routing={}, hedge={}) as live:
        up["a"].script(LATE)
        up["b"].script(UpstreamError("upstream_connection_reset"), WELL)
        ctx = await raced(live, up["b"].gate, later=up["a"].gate)
        assert [row.target.provider for row in ctx.attempts] == ["a", "b", "b"]
        assert ctx[FAILOVER] == (Target("a", "fake"),)
