"""What the kit asks of every provider: one small class passes, and what no client can read is found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

import pytest

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, TextDelta
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.reply import EventStream, Reply
from sentinel_core.services import HttpClient, Services
from sentinel_core.testing import ProviderConformance, completion, content_chunk, events_of, fake_services, finish_chunk
from tests.plugins.providers.fed import Fed


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


class Forgetting(Small):
    """Knows only what it was asked last: a stream that is read later says another call's words."""

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.words: list[str] = []

    async def call(self, call: Call) -> Reply:
        self.words = [slot.text for slot in call.request.texts()]
        return await super().call(call)

    async def events(self) -> AsyncIterator[Event]:
        for payload in (content_chunk("You said "), content_chunk(self.words[0]), finish_chunk()):
            for event in events_of(payload):
                yield event


class Leaky(Small):
    """Gives its connection back at a stream's end, and not where a caller leaves before that."""

    http: HttpClient

    @classmethod
    @asynccontextmanager
    async def open(cls, config: ProviderConfig, services: Services) -> AsyncIterator[Self]:
        async with super().open(config, services) as live, services.http.pool(connections=1) as live.http:
            yield live

    async def events(self) -> AsyncIterator[Event]:
        response = await self.http.send("POST", "http://127.0.0.1/", headers={})
        async for event in super().events():
            yield event
        await response.release()


class Tidy(Leaky):
    """Gives it back whatever comes."""

    async def events(self) -> AsyncIterator[Event]:
        response = await self.http.send("POST", "http://127.0.0.1/", headers={})
        try:
            async for event in Small.events(self):
                yield event
        finally:
            await response.abort()


class WithConnections(ProviderConformance):
    """Over pools that open nothing."""

    model = "small-1"

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        async with fake_services() as made:
            yield replace(made, http=Fed([]))


class TestAProviderThatGivesItsConnectionsBack(WithConnections):
    provider = Tidy


class OfLeaky(WithConnections):
    provider = Leaky


class OfForgetting(ProviderConformance):
    provider = Forgetting
    model = "small-1"


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


async def test_a_connection_that_is_left_open_is_found() -> None:
    with pytest.raises(AssertionError, match="1 of the upstream's responses were neither released nor aborted"):
        await OfLeaky().test_leaving_early_closes_the_upstream()


async def test_a_provider_that_keeps_a_call_on_itself_is_found() -> None:
    with pytest.raises(AssertionError):
        await OfForgetting().test_two_calls_never_meet()
