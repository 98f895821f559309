"""Two calls beside each other: the first reply wins, everything else is ended and awaited."""

from __future__ import annotations

import asyncio

from sentinel_core.errors import UpstreamError
from sentinel_core.keys import Target
from sentinel_core.reply import EventStream, Reply
from sentinel_core.running import Running

Leg = asyncio.Task[Reply]


class Race:
    """Runs legs as tasks. Enter it with `async with`: on exit, losers are cancelled, awaited, and their replies closed.

    What a leg adopted is closed by the exchange at the latest, so a second cancellation of the exit leaks nothing.
    """

    def __init__(self) -> None:
        self._legs: dict[Leg, Target] = {}
        self._winner: Leg | None = None

    async def __aenter__(self) -> Race:
        return self

    async def __aexit__(self, *exc: object) -> None:
        losers = [leg for leg in self._legs if leg is not self._winner]
        for leg in losers:
            leg.cancel()
        for reply in await asyncio.gather(*losers, return_exceptions=True):
            if isinstance(reply, EventStream):
                await reply.aclose()

    def start(self, call: Running[Reply], target: Target) -> None:
        """One more leg."""
        self._legs[asyncio.create_task(call)] = target

    async def over_within(self, waiting: Running[None]) -> bool:
        """Whether the only leg ends before `waiting` does."""
        (leg,) = self._legs
        timer = asyncio.create_task(waiting)
        try:
            await asyncio.wait((leg, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            await asyncio.wait((timer,))
        return leg.done()

    def failed(self) -> dict[Target, UpstreamError]:
        """What the legs failed with that are over, by target, but for the one that was taken."""
        beside = ((leg, target) for leg, target in self._legs.items() if leg is not self._winner)
        over = ((target, leg.exception()) for leg, target in beside if leg.done() and not leg.cancelled())
        return {target: error for target, error in over if isinstance(error, UpstreamError)}

    async def won(self) -> tuple[Reply, Target]:
        """The first reply, and whose it is. Raises the first leg's error if no leg gave one."""
        pending = set(self._legs)
        while pending:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for leg, target in self._legs.items():
                if leg.done() and not leg.cancelled() and leg.exception() is None:
                    self._winner = leg
                    return leg.result(), target
        self._winner = first = next(iter(self._legs))
        return first.result(), self._legs[first]
