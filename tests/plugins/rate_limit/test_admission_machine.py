"""P1 and P3 through the stage, on memory and on a real server."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from sentinel_core.state import StateStore
from sentinel_plugins.state.memory import MemoryState
from sentinel_plugins.state.redis import RedisState
from tests.plugins.rate_limit.admission_machine import AdmissionMachine
from tests.plugins.state.redis_stores import MOVED_CLOCK, MovedTime, config
from tests.properties import promised
from tests.redis.binaries import kinds
from tests.redis.server import RedisServer


class OnMemory(AdmissionMachine):
    """The store of one process."""

    def open(self) -> StateStore:
        return MemoryState(now=self.clock.monotonic)

    def moved(self, seconds: float) -> None:
        """It reads the machine's clock."""


TestOnMemory = OnMemory.TestCase
TestOnMemory.settings = promised()


def test_p1_p3_on_redis(redis_server: RedisServer) -> None:
    class OnRedis(AdmissionMachine):
        """The store of a fleet."""

        def open(self) -> StateStore:
            redis_server.ask("FLUSHALL")
            self.time = MovedTime(redis_server)
            self.time.advance(0)
            self.store = self.do(self._opened())
            return self.store

        async def _opened(self) -> RedisState:
            return RedisState(config(redis_server.url, timeout_s=10.0, connections=1), clock=MOVED_CLOCK)

        def moved(self, seconds: float) -> None:
            self.time.advance(round(seconds * 1_000_000))

        def teardown(self) -> None:
            self.do(self.store.close())
            super().teardown()

    run_state_machine_as_test(OnRedis, settings=promised(among=5 * len(kinds())))
