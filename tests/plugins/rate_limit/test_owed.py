"""What the state store could not be told is told once it answers, whoever asks for what meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

import pytest

from sentinel_core.config import Settings, settings_from
from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject
from sentinel_core.state import Lease, Settlement, state_key
from sentinel_core.testing import fake_services
from sentinel_core.testing.fake_clock import FakeClock, settle
from sentinel_plugins.rate_limit.owed import AGAIN_S, AT_ONCE, Owed
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
    assert owed.owes
    store.down = False
    await clock.advance(AGAIN_S)
    assert not owed.owes
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

    async def settle(self, reservation: str, settlement: Settlement) -> Literal["settled", "unknown"]:
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
    assert not owed.owes


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
    assert owed.owes


async def test_what_a_cancelled_one_was_telling_is_told_by_the_job() -> None:
    store = Slow()
    owed = await owing(store, 1)
    store.down = False
    store.let.clear()
    telling, job = asyncio.create_task(owed.tell(store)), asyncio.create_task(owed.run(store, FakeClock()))
    await settle()
    telling.cancel()
    store.let.set()
    await settle()
    assert not owed.owes
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


BODY: JsonObject = {"model": "echo", "messages": [{"role": "user", "content": "hi"}]}


def limited(requests: int) -> Settings:
    """One request at a time of each address, and so many a minute."""
    table = {"address": {"max_concurrency": 1}, "max_requests": requests}
    return settings_from({"providers": {"echo": {"models": ["echo"]}}, "stages": {"rate_limit": table}})


async def code(gateway: Gateway) -> str | None:
    """The code of the refusal of one request; None where it is answered."""
    try:
        await gateway.complete(BODY, client=Client(address="192.0.2.1"))
    except Refusal as error:
        return error.code
    return None


@asynccontextmanager
async def losing(store: Unplugged, clock: FakeClock) -> AsyncIterator[Gateway]:
    """A gateway one of whose requests has ended unheard, which holds the one place that there is."""
    async with (
        fake_services(clock) as made,
        Gateway(limited(20), services=replace(made, state=store)) as gateway,
    ):
        async with gateway.stream(BODY, client=Client(address="192.0.2.1")):
            store.down = True
        await settle()
        yield gateway


async def test_the_gateway_tells_it_where_everybody_is_refused_until_then() -> None:
    store, clock = Unplugged(), FakeClock()
    async with losing(store, clock) as gateway:
        store.down = False
        assert await code(gateway) == "concurrency_limit_exceeded"
        await clock.advance(AGAIN_S)
        assert await code(gateway) is None


async def test_a_reload_forgets_nothing_of_it() -> None:
    store, clock = Unplugged(), FakeClock()
    async with losing(store, clock) as gateway:
        await gateway.reload(limited(30))
        store.down = False
        assert await code(gateway) == "concurrency_limit_exceeded"
        await clock.advance(AGAIN_S)
        assert await code(gateway) is None
