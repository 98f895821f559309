"""What the kit asks of every stage: a correct one passes, whatever its texts are, and a wrong one is found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from sentinel_core.context import Context, Outcome
from sentinel_core.errors import Refusal
from sentinel_core.events import Event, Finish, TextDelta, TextEvent
from sentinel_core.hookspecs import hookimpl
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import StageConformance, watching
from tests.core.testing.kit import found_by


class Word(Stage):
    """Refuses a prompt, and looks at streams event by event."""

    name = "word"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        if any("bad" in slot.text for slot in ctx.request.texts()):
            raise Refusal("content_policy_violation")

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event


class Greedy(Word):
    """Reads a stream to its end before it hands on anything."""

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        for event in [event async for event in events]:
            yield event


class Piecemeal(Word):
    """Masks what stands in one event, and misses what stands in two."""

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event.with_text(event.text.replace("secret", "***")) if isinstance(event, TextEvent) else event


PROMPTS = ("a bad word", "a good one")


class TestAGuardWhoseFirstPromptIsRefused(StageConformance):
    stage = Word
    prompts = PROMPTS


async def test_a_stage_that_pulls_ahead_is_found_by_the_prompt_that_it_lets_through() -> None:
    await found_by(Greedy, "test_it_pulls_nothing_ahead_of_its_reader", prompts=PROMPTS, replies=("the secret is out",))


async def test_a_stage_that_misses_what_is_cut_is_found_by_the_prompt_that_it_lets_through() -> None:
    await found_by(Piecemeal, "test_chunking_makes_no_difference", prompts=PROMPTS, replies=("the secret is out",))


@pytest.mark.parametrize("check", ["test_chunking_makes_no_difference", "test_its_own_output_passes_unchanged"])
async def test_texts_that_show_nothing_of_a_guard_are_no_proof(check: str) -> None:
    said = await found_by(Word, check, prompts=("a bad word",))
    assert "every one of `prompts` is refused" in said


class Holding(Stage):
    """Holds the end of a text back, for whoever comes next."""

    name = "holding"

    def __init__(self, config: StageConfig) -> None:
        super().__init__(config)
        self.held = ""

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextDelta):
                whole = self.held + event.text
                self.held = whole[-3:]
                event = event.with_text(whole[:-3])
            elif isinstance(event, Finish):
                yield TextDelta(choice=event.choice, text=self.held)
                self.held = ""
            yield event


class Remembering(Stage):
    """Says what was asked last, whoever asked it."""

    name = "remembering"

    def __init__(self, config: StageConfig) -> None:
        super().__init__(config)
        self.prompt = ""

    @hookimpl
    async def on_request(self, ctx: Context) -> None:
        self.prompt = ctx.request.texts()[0].text

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        return answer.with_texts({slot.path: slot.text.replace("#", self.prompt) for slot in answer.texts()})


@pytest.mark.parametrize(("stage", "reply"), [(Holding, "Hello there"), (Remembering, "You said #.")])
async def test_a_stage_that_keeps_a_callers_text_on_itself_is_found(stage: type[Stage], reply: str) -> None:
    await found_by(stage, "test_two_requests_never_meet", replies=(reply,))


class Forgetful(Stage):
    """Returns no answer."""

    name = "forgetful"

    @hookimpl
    def on_response(self, answer: Answer) -> None:
        answer.texts()


class Failing(Word):
    """Raises at each request."""

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise KeyError(ctx.id)


class Unsettled(Word):
    """Raises at each end, which no caller is told."""

    @hookimpl
    def on_finish(self, outcome: Outcome) -> None:
        raise RuntimeError(outcome.status)


ASKED = [
    "test_chunking_makes_no_difference",
    "test_streams_and_answers_agree",
    "test_its_own_output_passes_unchanged",
    "test_every_ending_finishes_once_and_leaves_nothing",
    "test_an_upstream_that_fails_is_an_error",
    "test_it_can_be_cancelled_at_every_await",
    "test_a_cancelled_request_closes_the_upstream",
    "test_two_requests_never_meet",
    "test_it_never_blocks_the_loop",
]


@pytest.mark.parametrize("check", ASKED)
@pytest.mark.parametrize("stage", [Forgetful, Failing, Unsettled])
async def test_a_stage_that_faults_passes_nothing(stage: type[Stage], check: str) -> None:
    assert f"stage {stage.name}" in await found_by(stage, check)


class Losing(Word):
    """Reads in a task of its own, and loses what breaks there."""

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        read: asyncio.Queue[Event | None] = asyncio.Queue()

        async def pump() -> None:
            async for event in events:
                await read.put(event)
            await read.put(None)

        task = asyncio.create_task(pump())
        try:
            while (event := await read.get()) is not None:
                yield event
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_a_stage_that_never_ends_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PATIENCE_S", 0.2)
    said = await found_by(Losing, "test_an_upstream_that_fails_is_an_error")
    assert "waits for something that never comes" in said


class Standing(Stage):
    """Stands still over whole answers, and not over streams."""

    name = "standing"

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        time.sleep(0.3)
        return answer

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event


async def test_a_stage_that_blocks_the_loop_over_a_whole_answer_is_found() -> None:
    assert "stood still" in await found_by(Standing, "test_it_never_blocks_the_loop")
