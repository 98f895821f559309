"""What the kit asks of every stage: a correct one passes, whatever its texts are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.messages import Event
from sentinel_core.stage import Stage
from sentinel_core.testing import StageConformance


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


class TestAGuardWhoseFirstPromptIsRefused(StageConformance):
    stage = Word
    prompts = ("a bad word", "a good one")


class TestAGuardThatRefusesEveryPrompt(StageConformance):
    stage = Word
    prompts = ("a bad word",)


class OfGreedy(StageConformance):
    stage = Greedy
    prompts = ("a bad word", "a good one")


async def test_a_stage_that_pulls_ahead_is_found_by_the_prompt_that_it_lets_through() -> None:
    with pytest.raises(AssertionError):
        await OfGreedy().test_it_pulls_nothing_ahead_of_its_reader()
