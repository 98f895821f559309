"""Replay 5: a frozen Redis that held every request while liveness stayed green."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.pace import in_time, until
from tests.plugins.auth.callers import STATIC
from tests.plugins.auth.gateway import House, house, tables
from tests.ports import HOST
from tests.redis.server import RedisServer
from tests.redis.shim import Shim

TIMEOUT_S = 0.5
SLACK_S = 2.0
WAVES, AT_ONCE = 4, 25


async def asked(served: House) -> int:
    messages = [{"role": "user", "content": "Hello"}]
    return (await served.ask("/v1/chat/completions", STATIC, "POST", model="gpt-4o", messages=messages)).status


async def wave(served: House) -> list[int]:
    return list(await asyncio.gather(*(asked(served) for _ in range(AT_ONCE))))


async def test_r03_replay_5_a_frozen_redis_holds_one_wave_of_requests_for_one_timeout_and_then_nobody(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    found = tables()
    found["stages"] |= {"rate_limit": {"max_requests": 10_000}, "usage": {}}
    async with Shim(redis_server.port) as shim:
        redis = {"kind": "redis", "host": HOST, "port": shim.port, "timeout_s": TIMEOUT_S}
        records = {**redis, "spool": str(tmp_path / "spool")}
        async with house({**found, "state": redis, "records": records}) as served:
            assert await asked(served) == 200
            assert (await served.ask("/health/ready")).json["status"] == "ready"
            shim.freeze()
            # An admission and a settlement wait, each for one timeout: all of a wave at the same time.
            assert await in_time(wave(served), 2 * TIMEOUT_S + SLACK_S) == [200] * AT_ONCE
            assert not served.gateway.state.available
            arrived = shim.accepted
            for _ in range(WAVES):
                assert await in_time(wave(served), SLACK_S) == [200] * AT_ONCE
            assert shim.accepted < arrived + AT_ONCE, "a few probes: nobody's request opens a connection"
            live, ready = await served.ask("/health/live"), await served.ask("/health/ready")
            assert (live.status, ready.json["status"]) == (200, "degraded"), "it serves, and says how"
            shim.thaw()
            await until(lambda: served.gateway.state.available)  # it looks again by itself
            assert await asked(served) == 200
