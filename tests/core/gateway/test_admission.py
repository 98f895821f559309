"""Who is asked about a caller before a body is read: the chain's doorkeeper, where only observers stand before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self

import pytest

from sentinel_core import Gateway, Registry, Stage
from sentinel_core.authenticator import HEAD_CHECK
from sentinel_core.config import Settings, settings_from
from sentinel_core.context import Client, Context
from sentinel_core.errors import Refusal, SentinelError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlValue
from sentinel_core.keys import PRINCIPAL, Principal
from sentinel_core.services import Services
from sentinel_core.testing import FakeProvider, chat_body, context, settle


class Door(Stage):
    """Does what a test tells it to, and notes what it is asked."""

    name = "door"
    writes = (PRINCIPAL,)
    asked: ClassVar[list[str]] = []
    raises: ClassVar[BaseException | None] = None
    waits: ClassVar[asyncio.Event | None] = None

    async def admit(self, client: Client) -> object:
        """The address."""
        self.asked.append(client.address)
        if self.waits is not None:
            await self.waits.wait()
        if self.raises is not None:
            raise self.raises
        return client.address

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        found = ctx[HEAD_CHECK].found if HEAD_CHECK in ctx else "nobody looked"
        ctx[PRINCIPAL] = Principal("t", str(found))


class Desk(Door):
    """A door that other routes ask, too."""

    name = "desk"
    is_open = False

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        door = cls(config)
        door.is_open = True
        yield door
        door.is_open = False

    async def authenticate(self, client: Client) -> Principal:
        """Knows whoever asks while it is open."""
        found = await self.admit(client)
        return Principal("t", str(found), kind="user" if self.is_open else "anonymous")


class Notes(Stage):
    """Stands before it and sees how requests end."""

    name = "notes"
    observer = True
    ends: ClassVar[list[str]] = []

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Any) -> None:  # an Outcome
        error = outcome.error
        self.ends.append(error.code if isinstance(error, SentinelError) else outcome.status)


class Speaks(Stage):
    """Stands before it and might answer."""

    name = "speaks"

    @hookimpl
    def on_request(self, ctx: Context) -> None: ...


class Namesake(Stage):
    """Has helpers of its own, whose names mean nothing to the gateway."""

    name = "namesake"
    observer = True

    async def authenticate(self, tenant: str, scope: str) -> str:
        """A token for an upstream."""
        raise NotImplementedError

    async def admit(self, tenant: str, cost: int) -> bool:
        """Whether it is within a limit."""
        raise NotImplementedError

    @hookimpl
    def on_request(self, ctx: Context) -> None: ...


@pytest.fixture(autouse=True)
def door(monkeypatch: pytest.MonkeyPatch) -> type[Door]:
    for name, value in (("asked", []), ("raises", None), ("waits", None)):
        monkeypatch.setattr(Door, name, value)
    monkeypatch.setattr(Notes, "ends", [])
    return Door


def settings(*order: str, **door: TomlValue) -> Settings:
    stages = {name: door if name == "door" else {} for name in order}
    return settings_from(
        {"stages": stages, "chain": {"stages": list(order)}, "providers": {"fake": {"models": ["fake"]}}}
    )


def gateway(*order: str, **door: TomlValue) -> Gateway:
    registry = Registry()
    for item in (Door, Desk, Namesake, Notes, Speaks, FakeProvider().kind()):
        registry.register(item)
    return Gateway(settings(*order, **door), registry=registry)


async def entered(live: Gateway) -> Context:
    """An exchange for somebody who was admitted. Raises what it raises."""
    ctx = live.context(context().request, client=Client("1.2.3.4"))
    check = await live.admit(ctx.client)
    if check is not None:
        ctx[HEAD_CHECK] = check
    async with live.open(ctx):
        return ctx


async def test_whoever_was_admitted_is_who_the_stage_says() -> None:
    async with gateway("notes", "door") as live:
        assert (await entered(live))[PRINCIPAL].id == "1.2.3.4"
        assert Door.asked == ["1.2.3.4"]


async def test_a_helper_of_the_same_name_makes_nobody_a_doorkeeper() -> None:
    async with gateway("namesake", "door") as live:
        assert live.authenticator is None
        assert (await entered(live))[PRINCIPAL].id == "1.2.3.4"


async def test_a_call_in_process_is_the_stages_own_matter() -> None:
    async with gateway("notes", "door") as live:
        await live.complete(chat_body())
        assert Door.asked == []


@pytest.mark.parametrize("order", [("speaks", "door"), ("notes", "speaks", "door"), ("notes", "speaks"), ()])
async def test_where_another_stage_might_answer_first_nobody_looks(order: tuple[str, ...]) -> None:
    async with gateway(*order) as live:
        assert await live.admit(Client()) is None
        assert Door.asked == []


async def test_before_it_is_open_nobody_looks() -> None:
    assert await gateway("door").admit(Client()) is None


@pytest.mark.parametrize(
    ("raised", "code"), [(Refusal("invalid_api_key"), "invalid_api_key"), (ValueError("?"), "internal_error")]
)
async def test_what_it_raises_is_raised_in_its_stage_and_observed(raised: Exception, code: str) -> None:
    Door.raises = raised
    async with gateway("notes", "door") as live:
        with pytest.raises(SentinelError) as refused:
            await entered(live)
        assert refused.value.code == code
        assert Notes.ends == [code]


async def test_its_time_is_the_stages_time() -> None:
    Door.waits = asyncio.Event()
    async with gateway("notes", "door", timeout_s=0.01) as live:
        with pytest.raises(SentinelError) as fault:
            await entered(live)
        assert fault.value.code == "internal_error"


async def test_a_cancellation_that_nobody_asked_for_is_a_fault() -> None:
    Door.raises = asyncio.CancelledError()
    async with gateway("notes", "door") as live:
        with pytest.raises(SentinelError):
            await entered(live)


async def test_a_caller_who_leaves_meanwhile_is_not_held() -> None:
    Door.waits = asyncio.Event()
    async with gateway("door") as live:
        task = asyncio.create_task(entered(live))
        await settle()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_after_a_reload_the_new_door_is_asked_and_the_old_one_was_open_until_then() -> None:
    Door.waits = asyncio.Event()
    async with gateway("door") as live:
        task = asyncio.create_task(entered(live))
        await settle()
        old = live.in_flight
        await live.reload()
        Door.waits.set()
        await task
        assert (old, len(Door.asked)) == (1, 2)


async def test_a_reload_that_takes_the_door_away_asks_nobody() -> None:
    Door.waits = asyncio.Event()
    Door.raises = Refusal("invalid_api_key")
    async with gateway("door") as live:
        task = asyncio.create_task(entered(live))
        await settle()
        await live.reload(settings())
        Door.waits.set()
        assert PRINCIPAL not in await task


@pytest.mark.parametrize("then", ["answers", "refuses"])
async def test_whoever_is_asked_outside_of_an_exchange_stays_open_until_it_has_answered(then: str) -> None:
    Door.waits = asyncio.Event()
    async with gateway("desk") as live:
        asking = asyncio.create_task(live.authenticate(Client("1.2.3.4")))
        await settle()
        await live.reload()
        await settle()
        Door.raises = Refusal("invalid_api_key") if then == "refuses" else None
        Door.waits.set()
        if then == "refuses":
            with pytest.raises(Refusal):
                await asking
        else:
            assert (await asking) == Principal("t", "1.2.3.4", kind="user")
        await settle()
        assert live.in_flight == 0


async def test_where_nobody_says_who_asks_it_is_nobody() -> None:
    async with gateway("notes") as live:
        assert await live.authenticate(Client("1.2.3.4")) is None
    with pytest.raises(Refusal) as caught:
        await live.authenticate(Client())
    assert caught.value.code == "not_started"
