"""What the log says of a fault: who it was, the type and the place, or what a plugin gave in the place of what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sentinel_core.chain import Chain, ChainPlan, StagePlan, Tracker
from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import ERRORS, StageFault
from sentinel_core.events import Event
from sentinel_core.json_types import JsonValue
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import Driven, content_chunk, context, events_of, run
from tests.core.chain.stages import Method, exchange, stage

SECRET = "4111 1111 1111 1111"


class Raises(Provider):
    """A provider whose author made a mistake: in its call, or in its stream."""

    name = "raises"

    async def call(self, call: Call) -> Reply:
        if not call.request.body.get("seed"):
            raise KeyError(SECRET)
        return EventStream(self.events(), dialect=OPENAI_CHAT)

    async def events(self) -> AsyncIterator[Event]:
        for event in events_of(content_chunk("Hello")):
            yield event
        raise KeyError(SECRET)

    async def health_check(self) -> Health:
        return Health("healthy")


class ReturnsNothing(Raises):
    async def call(self, call: Call) -> Any:  # Any: what this provider gets wrong
        return None


class WaitsForNothing(Raises):
    def call(self, call: Call) -> Any:  # Any: what this provider gets wrong
        return None


async def of_provider(kind: type[Provider], *stages: Stage, **fields: JsonValue) -> Driven:
    """One exchange with that provider behind these stages; fields are the request's."""
    tracker = Tracker()
    plan = ChainPlan([StagePlan(one.name, type(one), one.config) for one in stages])
    driven = await run(Chain(plan, stages, {"fake": kind(ProviderConfig())}, tracker), context(**fields))
    await tracker.drained()
    return driven


def passes(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    return events


passes.__name__ = "on_stream"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
@pytest.mark.parametrize("phase", ["call", "stream"])
@pytest.mark.parametrize("guards", [(), (stage("guard", passes),)], ids=["bare", "guarded"])
async def test_a_providers_fault_is_logged_by_name_type_and_place(
    stream: bool, phase: str, guards: tuple[Stage, ...], caplog: pytest.LogCaptureFixture
) -> None:
    driven = await of_provider(Raises, *guards, stream=stream, seed=int(phase == "stream"))
    assert isinstance(driven.error, StageFault)
    assert driven.error.message == ERRORS["internal_error"].message
    (said,) = caplog.messages
    assert said.startswith(f"provider fake raised in {phase}: KeyError ({__file__}:")
    assert SECRET not in caplog.text


async def test_a_stages_own_stream_that_breaks_is_no_providers_fault(caplog: pytest.LogCaptureFixture) -> None:
    def on_request(self: Stage) -> Reply:
        return EventStream(Raises(ProviderConfig()).events(), dialect=OPENAI_CHAT)

    driven = await exchange(stage("cache", on_request))
    assert isinstance(driven.error, StageFault)
    (said,) = caplog.messages
    assert said.startswith(f"the stage that answered raised in stream: KeyError ({__file__}:")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ReturnsNothing, "call must return an Answer or an EventStream, got NoneType"),
        (WaitsForNothing, "call must be a coroutine function, got NoneType"),
    ],
)
async def test_what_a_provider_got_wrong_is_in_the_log(
    kind: type[Provider], wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance((await of_provider(kind)).error, StageFault)
    assert caplog.messages == [f"provider fake raised in call: {wrong}"]


def phase(name: str, returned: object) -> Method:
    """A phase that is a plain function and returns this, whatever it is given."""

    def written(self: Stage) -> object:
        return returned

    written.__name__ = name
    return written


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
@pytest.mark.parametrize(
    ("name", "returned", "wrong"),
    [
        ("on_request", "no", "on_request must return None, an Answer or an EventStream, got str"),
        ("dispatch", None, "dispatch must return an Answer or an EventStream, got NoneType"),
        ("on_response", None, "on_response must return an Answer, got NoneType"),
        ("on_stream", None, "on_stream must return an async iterator, got NoneType"),
        ("on_stream", (), "on_stream must return an async iterator, got tuple"),
    ],
)
async def test_what_a_stage_got_wrong_is_in_the_log(
    name: str, returned: object, wrong: str, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    driven = await exchange(stage("wrong", phase(name, returned)), stream=stream)
    assert isinstance(driven.error, StageFault)
    (said,) = caplog.messages
    assert said.startswith("stage wrong raised in ")
    assert said.endswith(f": {wrong}")


async def test_what_is_no_event_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Any]:  # Any: the mistake
        async for _ in events:
            yield SECRET

    assert isinstance((await exchange(stage("wrong", on_stream))).error, StageFault)
    assert caplog.messages == ["stage wrong raised in on_stream: on_stream must give events, got str"]
