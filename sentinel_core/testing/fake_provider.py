"""A provider that says what it is told to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self, TypeAlias

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.messages import Answer
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.reply import EventStream, Reply
from sentinel_core.testing.replies import completion, content_chunk, events_of, finish_chunk, opening_chunk


class Hang:
    """In a script: wait here until somebody gives up."""


HANG = Hang()

Item: TypeAlias = str | bytes | Event | BaseException | asyncio.Event | Hang
"""One step of a scripted stream: a text fragment, a chunk's JSON, an event, a failure, a gate to wait for, or HANG."""

Script: TypeAlias = Answer | Sequence[Item] | BaseException | Hang


class FakeProvider(Provider):
    """Scripted and inspected.

    Scripts are used in order and the last one again and again: an `Answer`, a sequence of stream items, an exception,
    or HANG. A sequence answers a unary request as well, with its texts joined. Items are in OpenAI's chat form, which
    the chain translates for clients of another dialect. `calls` are what it was asked, `pulled` counts events
    handed out, `opened` and `closed` count streams.
    """

    name: ClassVar[str] = "fake"

    def __init__(self, *scripts: Script) -> None:
        super().__init__(ProviderConfig(models=("fake",)))
        self._scripts = deque(scripts or (("Hello",),))
        self.calls: list[Call] = []
        self.pulled = 0
        self.opened = 0
        self.closed = 0
        self.closing = asyncio.Event()

    def kind(self) -> type[Provider]:
        """A provider class for a registry: opening it gives this very object."""
        instance = self

        class Registered(FakeProvider):
            @classmethod
            @asynccontextmanager
            async def open(cls, config: Any, services: object) -> AsyncIterator[Self]:  # Any: the base's signature
                yield instance  # type: ignore[misc]  # the point of this class

        return Registered

    def script(self, *scripts: Script) -> None:
        """Replace what is still to come."""
        self._scripts = deque(scripts)

    async def call(self, call: Call) -> Reply:
        """Play the next script."""
        self.calls.append(call)
        script = self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]
        if isinstance(script, Hang):
            await asyncio.Event().wait()
        if isinstance(script, BaseException):
            raise script
        if isinstance(script, Answer):
            return script
        assert not isinstance(script, Hang)
        if not call.request.stream:
            return await self._unary(script)
        self.opened += 1
        return EventStream(self._play(script), self._close, dialect=OPENAI_CHAT)

    async def _unary(self, script: Sequence[Item]) -> Answer:
        texts: list[str] = []
        for item in script:
            await _pause(item)
            if isinstance(item, str):
                texts.append(item)
        return completion("".join(texts))

    async def _play(self, script: Sequence[Item]) -> AsyncIterator[Event]:
        for event in events_of(opening_chunk()):
            self.pulled += 1
            yield event
        for item in script:
            await _pause(item)
            for event in _events(item):
                self.pulled += 1
                yield event
        for event in events_of(finish_chunk()):
            self.pulled += 1
            yield event

    async def _close(self) -> None:
        self.closed += 1
        self.closing.set()

    async def health_check(self) -> Health:
        """Always well."""
        return Health("healthy", 0.0)


class Unhurried(FakeProvider):
    """Lets everybody else have a turn before each reply and each event."""

    async def call(self, call: Call) -> Reply:
        """Play the next script, in a while."""
        await asyncio.sleep(0)
        return await super().call(call)

    async def _play(self, script: Sequence[Item]) -> AsyncIterator[Event]:
        async for event in super()._play(script):
            await asyncio.sleep(0)
            yield event


async def _pause(item: Item) -> None:
    if isinstance(item, BaseException):
        raise item
    if isinstance(item, asyncio.Event):
        await item.wait()
    if isinstance(item, Hang):
        await asyncio.Event().wait()


def _events(item: Item) -> Sequence[Event]:
    if isinstance(item, str):
        return events_of(content_chunk(item))
    if isinstance(item, bytes):
        return OPENAI_CHAT.stream_decoder().decode(item)
    if isinstance(item, msgspec.Struct):
        return (item,)
    return ()
