"""What the kit asks of every provider: one small class passes, and what no client can read is found."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Event, Finish, TextDelta
from sentinel_core.provider import Health, Provider
from sentinel_core.reply import EventStream, Reply
from sentinel_core.testing import ProviderConformance, completion, content_chunk, events_of, finish_chunk


class Small(Provider):
    """As little as a provider can be: its replies are OpenAI's chat."""

    name = "small"

    async def call(self, call: Call) -> Reply:
        if not call.request.stream:
            return completion("Hello you")
        return EventStream(self.events(), dialect=self.dialect(call))

    def dialect(self, call: Call) -> Dialect:
        return OPENAI_CHAT

    async def events(self) -> AsyncIterator[Event]:
        for payload in (content_chunk("Hello "), content_chunk("you"), finish_chunk()):
            for event in events_of(payload):
                yield event

    async def health_check(self) -> Health:
        return Health("healthy")


class Bare(Small):
    """Its events have no frames."""

    async def events(self) -> AsyncIterator[Event]:
        for word in ("Hello ", "you"):
            yield TextDelta(text=word)
        yield Finish()


class Mistaken(Small):
    """Says that its chunks are whatever the client speaks."""

    def dialect(self, call: Call) -> Dialect:
        return call.request.dialect


class TestASmallProvider(ProviderConformance):
    provider = Small
    model = "small-1"


class TestAProviderOfEventsWithoutFrames(ProviderConformance):
    provider = Bare
    model = "small-1"


class OfMistaken(ProviderConformance):
    provider = Mistaken
    model = "small-1"


@pytest.mark.parametrize("dialect", [ANTHROPIC_MESSAGES, OPENAI_RESPONSES], ids=lambda dialect: dialect.name)
async def test_a_stream_that_says_to_be_what_it_is_not_is_found(dialect: Dialect) -> None:
    with pytest.raises((AssertionError, UpstreamError)):
        await OfMistaken().test_every_client_can_read_its_answers(dialect, stream=True)
