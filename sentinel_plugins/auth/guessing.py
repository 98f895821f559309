"""Who guesses: failures per address, so that guesses stop before they reach a store (Z22)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from sentinel_core.addresses import network
from sentinel_core.errors import Refusal
from sentinel_core.latest import Latest
from sentinel_core.services import Clock

Failures: TypeAlias = Latest[str, deque[float]]
"""When each address failed last, in monotonic seconds."""
PERIOD_S = 60.0
MAX_ADDRESSES = 10_000
"""How many addresses are remembered; the one that was silent longest is forgotten."""


class _Turns:
    """The look-ups of one address that are under way, and those that wait for their turn, the first one first."""

    __slots__ = ("_waiting", "concerned", "under_way")

    def __init__(self) -> None:
        self.concerned = 0
        self.under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Until somebody's turn is over."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def over(self) -> None:
        """Let the next one see whether it may."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else who waited has left
                turn.set_result(None)
                return


class Guessing:
    """At most `limit` failures of one address in any minute, in this process, as far as `failures` goes back."""

    def __init__(self, limit: int, clock: Clock, failures: Failures) -> None:
        self._limit = limit
        self._clock = clock
        self._failures = failures
        self._turns: dict[str, _Turns] = {}

    def check(self, address: str) -> None:
        """Raise `Refusal` (rate_limit_exceeded) for an address that has failed too often."""
        self._tries(network(address))

    def note(self, address: str) -> None:
        """One failure."""
        name = network(address)
        times = self._failures.get(name, deque())
        times.append(self._clock.monotonic())
        while len(times) > self._limit:
            times.popleft()
        self._failures[name] = times

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """One look-up: no more of them are under way than may still fail. Others wait for these, and raise `Refusal`
        (rate_limit_exceeded) when they have failed. A failure is noted before the turn is over."""
        name = network(address)
        turns = self._turns.setdefault(name, _Turns())
        turns.concerned += 1
        try:
            while turns.under_way >= self._tries(name):
                await turns.wait()
            turns.under_way += 1
            try:
                yield
            finally:
                turns.under_way -= 1
        finally:
            turns.concerned -= 1
            turns.over()
            if not turns.concerned:
                del self._turns[name]

    def _tries(self, name: str) -> int:
        """How often an address may still fail, at least once. Raises `Refusal` (rate_limit_exceeded)."""
        times = self._failures.get(name)
        if times is None:
            return self._limit
        now = self._clock.monotonic()
        while times and times[0] + PERIOD_S <= now:
            times.popleft()
        if len(times) < self._limit:
            return self._limit - len(times)
        wait_s = times[-self._limit] + PERIOD_S - now
        raise Refusal("rate_limit_exceeded", "Too many invalid credentials; try again later.", retry_after_s=wait_s)
