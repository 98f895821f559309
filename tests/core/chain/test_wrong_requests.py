"""A stage that leaves no request, or calls inwards with no call, is blamed for it: by name, under its own policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import pytest

from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import StageFault
from sentinel_core.events import Event
from sentinel_core.hookspecs import hookimpl
from sentinel_core.messages import Answer, Request
from sentinel_core.reply import Reply
from sentinel_core.stage import OnFault, Stage, StageConfig
from sentinel_core.testing import completion, context
from sentinel_core.transform import Transformed
from tests.core.chain.stages import Method, exchange, monitoring, stage
from tests.core.chain.test_faults_logged import Raises, of_provider

STREAMS = pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
LEFT = "on_request must leave a Request in ctx.request, got dict"


def plain(self: Stage, ctx: Any) -> None:  # Any: the mistake
    ctx.request = dict(ctx.request.body)


async def waiting(self: Stage, ctx: Any) -> None:  # Any: the mistake
    ctx.request = dict(ctx.request.body)


def replying(self: Stage, ctx: Any) -> Reply:  # Any: the mistake
    ctx.request = dict(ctx.request.body)
    return completion("Hello")


def failing(self: Stage, ctx: Any) -> None:  # Any: the mistake
    ctx.request = dict(ctx.request.body)
    ctx.request.texts()


plain.__name__ = waiting.__name__ = replying.__name__ = failing.__name__ = "on_request"


@STREAMS
@pytest.mark.parametrize("phase", [plain, waiting, replying])
async def test_a_stage_that_leaves_no_request_is_blamed(
    phase: Method, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    driven = await exchange(stage("wrong", phase), stage("next", look), stream=stream)
    assert isinstance(driven.error, StageFault)
    assert caplog.messages == [f"stage wrong raised in on_request: {LEFT}"]
    assert driven.ctx is not None
    assert isinstance(driven.ctx.request, Request)


def look(self: Stage, ctx: Context) -> None:
    ctx.request.texts()


look.__name__ = "on_request"


@pytest.mark.parametrize("config", [StageConfig(on_fault="open"), monitoring()], ids=["open", "monitor"])
@pytest.mark.parametrize("phase", [plain, waiting, replying])
async def test_where_that_fails_open_the_request_goes_on_as_it_was(
    phase: Method, config: StageConfig, caplog: pytest.LogCaptureFixture
) -> None:
    driven = await exchange(stage("wrong", phase, config=config, guard=True), stage("next", look))
    assert (driven.error, driven.text) == (None, "Hello")
    assert caplog.messages == [f"stage wrong raised in on_request: {LEFT}"]


async def test_who_finishes_finds_a_request_whatever_a_stage_left_there() -> None:
    driven = await exchange(stage("wrong", failing))
    assert isinstance(driven.error, StageFault)
    assert driven.ctx is not None
    assert isinstance(driven.ctx.request, Request)


Mistake = Literal["call", "target", "request"]


def calling(mistake: Mistake, ctx: Any, call: Call) -> Any:  # Any: what is wrong
    if mistake == "call":
        return ctx
    return msgspec.structs.replace(call, **{mistake: "echo"})


@pytest.mark.parametrize("on_fault", ["closed", "open"])
@pytest.mark.parametrize(
    ("mistake", "wrong"),
    [
        ("call", "call_next must be given a Call, got Context"),
        ("target", "call_next must be given a Call with a Target, got str"),
        ("request", "call_next must be given a Call with a Request, got str"),
    ],
)
async def test_a_stage_that_calls_inwards_with_no_call_is_blamed(
    mistake: Mistake, wrong: str, on_fault: OnFault, caplog: pytest.LogCaptureFixture
) -> None:
    async def dispatch(self: Stage, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        reply: Reply = await call_next(calling(mistake, ctx, call))
        return reply

    config = StageConfig(on_fault=on_fault)
    driven = await exchange(stage("wrong", dispatch, config=config), ctx=context(stream=True))
    assert isinstance(driven.error, StageFault) is (on_fault == "closed")
    assert caplog.messages == [f"stage wrong raised in dispatch: {wrong}"]


class PerformsNothing(Raises):
    """A provider that forgot to say what it can be asked for."""

    def performs(self) -> Any:  # Any: the mistake
        return None


async def test_a_provider_that_does_not_say_what_it_performs_is_blamed(caplog: pytest.LogCaptureFixture) -> None:
    driven = await of_provider(PerformsNothing)
    assert isinstance(driven.error, StageFault)
    (said,) = caplog.messages
    assert said.startswith("provider fake raised in performs: TypeError (")


class Endless:
    """A transform without an end."""

    def event(self, event: Event) -> Sequence[Event]:
        return (event,)


@STREAMS
async def test_a_transform_without_an_end_is_its_stages_fault(stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Wrong(Stage):
        name = "wrong"

        @hookimpl
        def on_stream(self, events: Any) -> Any:  # Any: the mistake
            return Transformed(Endless(), events)  # type: ignore[arg-type]  # the mistake

    driven = await exchange(Wrong(StageConfig()), stream=stream)
    assert isinstance(driven.error, StageFault)
    (said,) = caplog.messages
    assert said.startswith(f"stage wrong raised in {'on_stream' if stream else 'on_response'}: ")
    assert not stream or said.endswith("a transform has the methods event and end, got Endless")


async def test_an_answer_to_a_request_that_was_replaced_is_no_fault() -> None:
    def on_request(self: Stage, ctx: Context) -> Answer:
        ctx.request = ctx.request.with_fields(temperature=1)
        return completion("Hello")

    assert (await exchange(stage("cache", on_request))).error is None
