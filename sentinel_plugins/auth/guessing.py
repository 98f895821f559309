"""Who guesses: failures per address, so that guesses stop before they reach a store (Z22)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from sentinel_core.addresses import network
from sentinel_core.counts import Count
from sentinel_core.errors import Refusal
from sentinel_core.latest import Latest
from sentinel_core.services import Clock


@dataclass(slots=True)
class Failed:
    """When an address failed last, and when a refusal of it went to the records last, in monotonic seconds."""

    times: deque[float] = field(default_factory=deque)
    told_at: float = float("-inf")


Failures: TypeAlias = Latest[str, Failed]
"""Those of each address."""
PERIOD_S = 60.0
MAX_ADDRESSES = 10_000
"""How many addresses are remembered; the one that was silent longest is forgotten."""


class Unheard(Refusal):
    """rate_limit_exceeded for an address that has failed too often: nobody looks at what it presents."""

    def __init__(self, wait_s: float) -> None:
        message = "Too many invalid credentials; try again later."
        super().__init__("rate_limit_exceeded", message, retry_after_s=wait_s)


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
    """At most `limit` failures of one address in any minute, in this process, as far as `failures` goes back. `refused`
    counts whoever is refused unheard."""

    def __init__(self, limit: int, clock: Clock, failures: Failures, refused: Count) -> None:
        self._refused = refused
        self._limit = limit
        self._clock = clock
        self._failures = failures
        self._turns: dict[str, _Turns] = {}

    def check(self, address: str) -> None:
        """Raise `Unheard` for an address that has failed too often."""
        self._tries(network(address))

    def note(self, address: str) -> None:
        """One failure."""
        name = network(address)
        failed = self._failures.get(name) or Failed()
        failed.times.append(self._clock.monotonic())
        while len(failed.times) > self._limit:
            failed.times.popleft()
        self._failures[name] = failed

    def is_told(self, address: str) -> bool:
        """Whether a refusal of this address stands in the records of this minute. If not, the one that is asked about
        will."""
        failed, now = self._failures.get(network(address)), self._clock.monotonic()
        if failed is None:  # as many others have failed since
            return False
        if now < failed.told_at + PERIOD_S:
            return True
        failed.told_at = now
        return False

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """One look-up: no more of them are under way than may still fail. Others wait for these, and raise `Unheard`
        when they have failed. A failure is noted before the turn is over."""
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
        """How often an address may still fail, at least once. Raises `Unheard`."""
        failed = self._failures.get(name)
        if failed is None:
            return self._limit
        now, times = self._clock.monotonic(), failed.times
        while times and times[0] + PERIOD_S <= now:
            times.popleft()
        if len(times) < self._limit:
            return self._limit - len(times)
        self._refused.value += 1
        raise Unheard(times[-self._limit] + PERIOD_S - now)
