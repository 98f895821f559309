"""What is still open when the time of an exit's drain is over is broken off, told so, and finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from sentinel_core import Gateway, Registry, Stage
from sentinel_core.chain import Delivery
from sentinel_core.config import settings_from
from sentinel_core.context import Context, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal
from sentinel_core.events import Event
from sentinel_core.hookspecs import hookimpl
from sentinel_core.testing import HANG, FakeProvider, chat_body
from tests.core.gateway.test_exit import Host, asked
from tests.pace import AT_ONCE_S, in_time, until

LIMIT_S = 0.05


class Noted(Stage):
    """Hears how exchanges end; while its way is shut, its finisher does not end."""

    name = "noted"
    heard: ClassVar[list[Outcome]]
    way: ClassVar[asyncio.Event]

    @hookimpl
    async def on_finish(self, ctx: Context, outcome: Outcome) -> None:
        """Note it."""
        await self.way.wait()
        self.heard.append(outcome)


class Relayed(Stage):
    """A guard that is a generator."""

    name = "relayed"

    @hookimpl
    async def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Hand on what comes."""
        async for event in events:
            yield event


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
    monkeypatch.setattr("sentinel_core.gateway.drain.FINISHERS_S", LIMIT_S)
    Noted.heard, Noted.way = [], asyncio.Event()
    Noted.way.set()


def gateway(provider: FakeProvider, *stages: str, drain_timeout_s: float = LIMIT_S) -> Gateway:
    registry = Registry()
    for plugin in (Noted, Relayed, provider.kind()):
        registry.register(plugin)
    tables: dict[str, Any] = {"stages": {name: {} for name in ("noted", *stages)}}  # Any: TOML
    tables |= {"providers": {"fake": {"models": ["fake"]}}, "server": {"drain_timeout_s": drain_timeout_s}}
    return Gateway(settings_from(tables), registry=registry)


def read(live: Gateway, seen: list[Event]) -> asyncio.Task[None]:
    """Somebody who reads a stream to its end."""

    async def reading() -> None:
        async with live.stream(chat_body()) as events:
            async for event in events:
                seen.append(event)

    return asyncio.create_task(reading())


async def refused(*asking: asyncio.Task[Any]) -> None:  # Any: whatever was asked for
    """Each of them was told that the gateway drains, and was not cancelled."""
    for task in asking:
        with pytest.raises(Refusal) as caught:
            await in_time(asyncio.wait_for(task, AT_ONCE_S), AT_ONCE_S)
        assert (caught.value.code, task.cancelling()) == ("draining", 0)


@pytest.mark.parametrize("stages", [(), ("relayed",)])
async def test_a_stream_that_outlives_the_drain_ends_in_a_refusal_and_is_finished(
    stages: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    provider, seen = FakeProvider(("a", HANG)), list[Event]()
    live = gateway(provider, *stages)
    async with live:
        reader = read(live, seen)
        await until(lambda: len(seen) > 1)
    assert ([outcome.status for outcome in Noted.heard], live.in_flight) == (["cancelled"], 0)
    assert (provider.opened, provider.closed) == (1, 1)
    await refused(reader)
    assert "the drain's time is over: 1 exchanges were broken off" in caplog.messages


async def test_a_request_that_waits_for_its_answer_ends_in_a_refusal_and_is_finished() -> None:
    provider = FakeProvider(HANG)
    live = gateway(provider)
    async with live:
        requests = [await asked(live, provider)]
        await live.reload()
        requests.append(await asked(live, provider))  # one for each generation
    assert ([outcome.status for outcome in Noted.heard], live.in_flight) == (["cancelled"] * 2, 0)
    await refused(*requests)


async def test_nothing_is_handed_out_after_an_exit_to_one_who_was_not_reading() -> None:
    provider = FakeProvider(("a", "b", "c"))
    live = gateway(provider)

    async def words() -> AsyncIterator[tuple[Delivery, Event]]:
        async with live.stream(chat_body()) as events:
            async for event in events:
                yield events, event

    said = words()
    async with live:
        events, _ = await anext(said)
    assert ([outcome.status for outcome in Noted.heard], provider.closed) == (["cancelled"], 1)
    for _ in range(2):
        with pytest.raises(Refusal, match="draining"):
            await anext(events)
    with pytest.raises(Refusal, match="draining"):
        await anext(said)
    assert len(Noted.heard) == 1


async def test_one_whose_whole_reply_was_handed_out_has_completed() -> None:
    live, told, way = gateway(FakeProvider(("Hello",))), asyncio.Event(), asyncio.Event()

    async def asking() -> object:
        async with live.open(live.context(live._request(chat_body(), OPENAI_CHAT, stream=False))) as answer:
            told.set()
            await way.wait()
            return answer

    async with live:
        request = asyncio.create_task(asking())
        await told.wait()
    assert [outcome.status for outcome in Noted.heard] == ["completed"]
    way.set()
    assert await request is not None


async def test_a_finisher_that_does_not_end_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    provider, seen = FakeProvider(("a", HANG)), list[Event]()
    live = gateway(provider)
    Noted.way.clear()
    async with live:
        reader = read(live, seen)
        await until(lambda: len(seen) > 1)
    assert live.in_flight == 1
    assert "closing all the same: 1 exchanges have not ended" in caplog.messages
    Noted.way.set()
    await refused(reader)
    assert (live.in_flight, len(Noted.heard)) == (0, 1)


async def test_a_host_that_is_cancelled_while_it_drains_breaks_off_as_well() -> None:
    provider = FakeProvider(HANG)
    live = gateway(provider, drain_timeout_s=60.0)
    host = Host(live, provider)
    await until(lambda: live.draining)
    host.task.cancel()
    await in_time(host.over(), AT_ONCE_S)
    assert (len(Noted.heard), live.in_flight) == (1, 0)
    await refused(*host.requests)


@pytest.mark.parametrize("reply", [HANG, ("a", HANG)])
async def test_a_reader_whom_its_host_cancels_at_the_same_time_is_cancelled(reply: Any) -> None:  # a script
    provider, seen = FakeProvider(reply), list[Event]()
    live = gateway(provider)
    async with live:
        reader = read(live, seen)
        await until(lambda: bool(provider.calls) and (reply is HANG or len(seen) > 1))
        (exchange,) = live._open_generation().chain.open
        reader.cancel()
        exchange.break_off()
    with pytest.raises(asyncio.CancelledError):
        await reader


async def test_what_ends_by_itself_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentinel.gateway")
    gate, seen = asyncio.Event(), list[Event]()
    live = gateway(FakeProvider(("a", gate)), drain_timeout_s=AT_ONCE_S)
    async with live:
        reader = read(live, seen)
        await until(lambda: len(seen) > 1)
        asyncio.get_running_loop().call_later(LIMIT_S, gate.set)
    await reader
    assert ([outcome.status for outcome in Noted.heard], caplog.messages) == (["completed"], [])
