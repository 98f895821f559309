"""What the kit asks of a stage's endings: no stage keeps a cancellation, a failure or an end for itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest

from sentinel_core.context import Call, CallNext, Context
from sentinel_core.events import Event, Finish, TextDelta
from sentinel_core.hookspecs import hookimpl
from sentinel_core.messages import Answer
from sentinel_core.reply import Reply
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import StageConformance, completion
from tests.core.testing.kit import found_by


class Deaf(Stage):
    """Ends its stream where it is cancelled."""

    name = "deaf"

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        try:
            async for event in events:
                yield event
        except asyncio.CancelledError:
            pass


class Soothing(Stage):
    """Ends its stream where the upstream breaks off."""

    name = "soothing"

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        try:
            async for event in events:
                yield event
        except Exception:  # noqa: BLE001 - what is wrong with it
            pass


class Sorry(Stage):
    """Has an answer whatever becomes of the call."""

    name = "sorry"

    @hookimpl
    async def dispatch(self, call: Call, call_next: CallNext) -> Reply:
        try:
            reply: Reply = await call_next(call)
        except BaseException:  # noqa: BLE001 - what is wrong with it
            return completion("sorry")
        return reply


class Fallback(Stage):
    """Answers where the upstream fails, and says so in its test."""

    name = "fallback"

    @hookimpl
    async def dispatch(self, call: Call, call_next: CallNext) -> Reply:
        try:
            reply: Reply = await call_next(call)
        except Exception:  # noqa: BLE001 - whatever failed
            return completion("What was said before.")
        return reply


class TextsOnly(Stage):
    """Hands on texts and nothing else."""

    name = "texts_only"

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextDelta):
                yield event


class Stuttering(Stage):
    """Says each end twice."""

    name = "stuttering"

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event
            if isinstance(event, Finish):
                yield event


CANCELLED = "test_a_cancelled_request_closes_the_upstream"
AT_EVERY_AWAIT = "test_it_can_be_cancelled_at_every_await"
FAILED = "test_an_upstream_that_fails_is_an_error"


@pytest.mark.parametrize("check", [CANCELLED, AT_EVERY_AWAIT])
@pytest.mark.parametrize("stage", [Deaf, Sorry])
async def test_a_stage_that_swallows_a_cancellation_is_found(stage: type[Stage], check: str) -> None:
    assert "a cancellation was swallowed" in await found_by(stage, check)


@pytest.mark.parametrize("stage", [Soothing, Sorry, Fallback])
async def test_a_stage_that_swallows_a_failure_is_found(stage: type[Stage]) -> None:
    assert "was swallowed: to the caller the reply looks whole" in await found_by(stage, FAILED)


class TestAStageThatAnswersWhereTheUpstreamFails(StageConformance):
    stage = Fallback
    answers_failures = True


@pytest.mark.parametrize("stage", [TextsOnly, Stuttering])
async def test_a_stage_that_drops_or_repeats_an_end_is_found(stage: type[Stage]) -> None:
    said = await found_by(stage, "test_streams_and_answers_agree")
    assert "one `Finish` for each choice" in said


class Choosing(Stage):
    """Has no use for requests, so that none of its faults can refuse one."""

    name = "choosing"
    guard = True

    @classmethod
    def unused(cls, config: StageConfig) -> Collection[str]:
        return ("on_request",)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise NotImplementedError(ctx.id)

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        return answer


class Watching(Choosing):
    """Looks at requests as well."""

    name = "watching"

    @classmethod
    def unused(cls, config: StageConfig) -> Collection[str]:
        return ()

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx.request.texts()


class TestAStageWithoutUseForRequests(StageConformance):
    stage = Choosing


class TestAStageThatOnlyMonitors(StageConformance):
    stage = Watching
    config = {"mode": "monitor"}  # noqa: RUF012 - a ClassVar of the kit


class Lenient(Watching):
    """Lets what fails refuse nothing, and says something else."""

    name = "lenient"

    def __setattr__(self, name: str, value: object) -> None:
        if name == "__class__":
            value = type("Mute", (Watching,), {"name": "lenient"})
        super().__setattr__(name, value)


async def test_a_fault_that_does_not_follow_its_policy_is_told_in_words() -> None:
    assert "does not refuse a request" in await found_by(Lenient, "test_a_fault_follows_its_policy")
