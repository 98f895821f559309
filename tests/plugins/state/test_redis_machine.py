"""The Redis store against the naive model, on a real server whose clock the test moves."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.plugins.state.drivers import RedisDriver
from tests.plugins.state.store_machine import StoreMachine
from tests.properties import promised
from tests.redis.binaries import kinds
from tests.redis.server import RedisServer


def test_p1_p3_the_redis_store_and_the_model_agree(redis_server: RedisServer) -> None:
    class RedisMachine(StoreMachine):
        """P1 and P3 on a server."""

        def drive(self) -> RedisDriver:
            return RedisDriver(redis_server)

    run_state_machine_as_test(RedisMachine, settings=promised(among=5 * len(kinds())))
