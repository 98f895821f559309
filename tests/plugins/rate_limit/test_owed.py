"""What the state store could not be told is told once it answers, whoever asks for what meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.state import Lease, Settlement, state_key
from sentinel_core.testing.fake_clock import FakeClock, settle
from sentinel_plugins.rate_limit.owed import AGAIN_S, AT_ONCE, Owed
from sentinel_plugins.rate_limit.stage import OWED
from tests.plugins.rate_limit.unplugged import Unplugged

PLACE = state_key("acme", "place")


def reservation(number: int) -> str:
    return state_key("acme", f"r{number}")


async def owing(store: Unplugged, count: int) -> Owed:
    """So many reservations that hold a place each, whose ends the store did not hear."""
    owed = Owed()
    for number in range(count):
        assert (await store.admit(reservation(number), [Lease(PLACE, count, 900.0)])).admitted
    store.down = True
    for number in range(count):
        await owed.settle(store, reservation(number), Settlement())
    return owed


async def free(store: Unplugged, limit: int) -> int:
    look = state_key("acme", "look")
    return (
        (await store.admit(look, [Lease(PLACE, limit + 1, 1.0), Lease(state_key("acme", "never"), 0, 1.0)]))
        .claims[0]
        .remaining
    )


async def test_it_is_told_though_nobody_settles_anything_else() -> None:
    store, clock = Unplugged(), FakeClock()
    owed = await owing(store, AT_ONCE + 3)
    job = asyncio.create_task(owed.run(store, clock))
    await settle()
    assert len(owed) == AT_ONCE + 3
    store.down = False
    await clock.advance(AGAIN_S)
    assert len(owed) == 0
    assert await free(store, AT_ONCE + 3) == AT_ONCE + 4
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


class Slow(Unplugged):
    """A store that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()

    async def settle(self, reservation: str, settlement: Settlement) -> Any:
        await self.let.wait()
        return await super().settle(reservation, settlement)


async def test_several_that_tell_at_once_fail_at_nothing() -> None:
    store = Slow()
    owed = await owing(store, 3)
    store.down = False
    store.let.clear()
    told = [asyncio.create_task(owed.tell(store)) for _ in range(5)]
    await settle()
    store.let.set()
    assert await asyncio.gather(*told) == [True] * 5
    assert len(owed) == 0


async def test_what_a_cancelled_one_was_telling_is_still_owed() -> None:
    store = Slow()
    owed = await owing(store, 1)
    store.down = False
    store.let.clear()
    telling = asyncio.create_task(owed.tell(store))
    await settle()
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    assert len(owed) == 1


async def test_the_gateway_tells_it() -> None:
    async with Gateway(settings_from({"stages": {"rate_limit": {}}})) as gateway:
        owed: Owed = gateway.services.extra[OWED]
        owed._keep("{4:acme}:4:lost", Settlement())
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(owed) == 0
