"""A stream that is made event by event, without waiting for anybody."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from sentinel_core.events import Event


class EventTransform(Protocol):
    """What becomes of one event, and of the next. Plain functions: whoever has to wait writes an async generator."""

    def event(self, event: Event) -> Sequence[Event]:
        """What leaves in the place of the next event; empty while it is held back. May raise `Refusal`."""
        ...

    def end(self) -> Sequence[Event]:
        """What is still held, when the stream has come to its end. Not asked of one that breaks off."""
        ...


class Transformed:
    """The events as a transform makes them: an async iterator like any other, for `on_stream` to return.

    Where the chain finds one over the very events that it gave, it calls the transform itself, and those of
    neighbouring stages in one loop: without a generator, and what it takes to resume it, for each stage and event.
    """

    __slots__ = ("_ended", "_ready", "events", "transform")

    def __init__(self, transform: EventTransform, events: AsyncIterator[Event]) -> None:
        self.transform = transform
        self.events = events
        self._ready: deque[Event] = deque()
        self._ended = False

    def __aiter__(self) -> Transformed:
        return self

    async def __anext__(self) -> Event:
        while not self._ready:
            if self._ended:
                raise StopAsyncIteration
            self._ready.extend(await self._next())
        return self._ready.popleft()

    async def _next(self) -> Iterable[Event]:
        try:
            event = await self.events.__anext__()
        except StopAsyncIteration:
            self._ended = True
            return self.transform.end()
        return self.transform.event(event)
