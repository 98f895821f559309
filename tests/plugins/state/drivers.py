"""One way to ask any store, one step after the other, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from sentinel_core.state import Admission, Claim, Settlement, state_key
from sentinel_plugins.state.memory import MemoryState
from sentinel_plugins.state.redis import RedisState
from tests.loops import Loop
from tests.plugins.state.naive_model import SECOND
from tests.plugins.state.one_step import one_step
from tests.plugins.state.redis_stores import MOVED_CLOCK, MovedTime, config
from tests.redis.server import RedisServer


class Driver(Protocol):
    """A store that is empty at first."""

    def ask(self, *steps: tuple[str, Sequence[Claim]]) -> list[Admission]:
        """What it says to each of these admissions, one after the other."""
        ...

    def tell(self, reservation: str, settlement: Settlement) -> str:
        """What it says to a settlement."""
        ...

    def move_clock(self, by: int) -> None:
        """Time passes, in microseconds; less than none where the clock is set back."""
        ...

    def read_clock(self) -> None:
        """Let the store notice what time it is."""
        ...

    def close(self) -> None:
        """It is not needed any more."""
        ...


class MemoryDriver:
    """A memory store."""

    def __init__(self) -> None:
        self._now = 0
        self._store = MemoryState(now=lambda: self._now / SECOND)

    def ask(self, *steps: tuple[str, Sequence[Claim]]) -> list[Admission]:
        return [one_step(self._store.admit(*step)) for step in steps]

    def tell(self, reservation: str, settlement: Settlement) -> str:
        return one_step(self._store.settle(reservation, settlement))

    def move_clock(self, by: int) -> None:
        self._now += by

    def read_clock(self) -> None:
        one_step(self._store.get("any"))

    def close(self) -> None:
        pass


class RedisDriver:
    """A Redis store and its server, on one connection: commands are executed in the order in which they are given."""

    def __init__(self, server: RedisServer) -> None:
        server.ask("FLUSHALL")
        self._time = MovedTime(server)
        self._loop = Loop()
        self._store = self._loop.run(self._open(server))
        self.move_clock(0)
        self.read_clock()

    async def _open(self, server: RedisServer) -> RedisState:
        return RedisState(config(server.url, connections=1), clock=MOVED_CLOCK)

    def ask(self, *steps: tuple[str, Sequence[Claim]]) -> list[Admission]:
        async def together() -> list[Admission]:
            return await asyncio.gather(*(self._store.admit(*step) for step in steps))

        return self._loop.run(together())

    def tell(self, reservation: str, settlement: Settlement) -> str:
        return self._loop.run(self._store.settle(reservation, settlement))

    def move_clock(self, by: int) -> None:
        self._time.advance(by)

    def read_clock(self) -> None:
        """A tenant's time is written down by whoever writes: here, by settling what nobody reserved."""
        assert self.tell(state_key("acme", "nothing"), Settlement()) == "unknown"

    def close(self) -> None:
        self._loop.run(self._store.close())
        self._loop.close()
