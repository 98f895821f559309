"""However calls and waits of one request fall beside each other, it makes no more calls than `max_attempts`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Call
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Answer
from sentinel_core.reply import Reply
from sentinel_core.testing import FakeClock, FakeProvider, completion, run
from sentinel_core.testing.fake_clock import settle
from tests.loops import Loop
from tests.pace import PATIENCE_S
from tests.plugins.targets import targets

DELAY_S = 2.0


def _said(ending: str) -> Answer | UpstreamError:
    return completion("well") if ending == "well" else UpstreamError("upstream_connection_reset")


class Turns(FakeClock):
    """Every wait takes so many turns of the loop: that for a rival these, others the next."""

    def __init__(self, rival: int, waits: Iterator[int]) -> None:
        super().__init__()
        self._rival = rival
        self._waits = waits

    async def sleep(self, seconds: float) -> None:
        await settle(self._rival if seconds == DELAY_S else next(self._waits))


class Turning(FakeProvider):
    """So does every call."""

    def __init__(self, turns: Iterator[int], endings: Sequence[str]) -> None:
        super().__init__(*(_said(ending) for ending in endings))
        self._turns = turns
        self.made = 0

    async def call(self, call: Call) -> Reply:
        self.made += 1
        await settle(next(self._turns))
        return await super().call(call)


async def calls(
    most: int,
    rival: int,
    waits: Sequence[int],
    turns: Sequence[int],
    endings: Sequence[str] = ("reset",),
    names: str = "a",
) -> int:
    """How many calls one request makes."""
    taken = cycle(turns)
    up = {name: Turning(taken, endings) for name in names}
    async with (
        asyncio.timeout(PATIENCE_S),
        targets(
            up,
            clock=Turns(rival, cycle(waits)),
            routing={},
            hedge={"delay_s": DELAY_S, "max_extra": 1.0},
            retry={"max_attempts": most, "budget": 1.0},
            breaker={"failure_threshold": 100},
        ) as live,
    ):
        driven = await run(live.chain, live.context())
        await live.tracker.drained()
    made = sum(provider.made for provider in up.values())
    assert driven.ctx is not None
    assert len(driven.ctx.attempts) == made
    assert driven.error is None or (isinstance(driven.error, UpstreamError) and driven.error.attempted)
    return made


few = st.lists(st.integers(0, 2), min_size=1, max_size=4)


@given(
    most=st.integers(1, 4),
    rival=st.integers(0, 8),
    waits=st.lists(st.integers(0, 8), min_size=1, max_size=3),
    turns=few,
    endings=st.lists(st.sampled_from(["reset", "reset", "well"]), min_size=1, max_size=4),
    names=st.sampled_from(["a", "ab", "abc"]),
)
def test_no_interleaving_makes_one_call_more(
    most: int, rival: int, waits: Sequence[int], turns: Sequence[int], endings: Sequence[str], names: str
) -> None:
    with Loop() as loop:
        assert 1 <= loop.run(calls(most, rival, waits, turns, endings, names)) <= most


@pytest.mark.parametrize("rival", range(12))
async def test_a_repetition_and_a_rival_are_one_call_whichever_is_first(rival: int) -> None:
    """The rival is a task, which has not called yet when the repetition's wait ends in the same turn."""
    for wait in range(12):
        assert await calls(2, rival, [wait], [0]) == 2
