"""A stream of events with the values in its texts replaced, each lane a text of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from sentinel_core.messages import Channel, Event, Opaque, TextEvent, ToolCallDelta, UsageReport, ends_texts
from sentinel_plugins.guarding.redaction import Redaction, Text

MOST_WAITING = 16
"""Events ahead of the first text that a guard lets leave; where there are more, they go."""


class Lanes:
    """The texts of one stream: of each choice its content, reasoning, refusal, and the arguments of each tool call."""

    __slots__ = ("_begin", "_latest", "_texts")

    def __init__(self, begin: Callable[[TextEvent], Text]) -> None:
        """`begin` is asked for what takes the text that this event begins."""
        self._begin = begin
        self._texts: dict[tuple[int, Channel, int], Text] = {}
        self._latest: dict[tuple[int, Channel, int], TextEvent] = {}

    def take(self, event: TextEvent) -> TextEvent:
        """The event with what leaves now, if need be nothing: it may carry more than text."""
        text = self._texts.get(event.lane)
        if text is None:
            text = self._texts[event.lane] = self._begin(event)
        self._latest[event.lane] = event
        return event.with_text(text.feed(event.text))

    def rest(self, choice: int | None = None) -> Iterator[TextEvent]:
        """What is still held of a choice that ends, or of all."""
        for lane in [lane for lane in self._texts if choice is None or lane[0] == choice]:
            text, event = self._texts.pop(lane), self._latest.pop(lane)
            held = text.feed("", end=True)
            if held:
                yield continuation(event, held)


async def redacted(
    redaction: Redaction, events: AsyncIterator[Event], most_waiting: int = MOST_WAITING
) -> AsyncIterator[Event]:
    """The events, with what the guard lets leave of them.

    Events ahead of the first that says something wait for it, up to so many: a refusal may still come, with a status of
    its own.
    """
    waiting: list[Event] = []
    begun = False
    lanes = Lanes(lambda event: redaction.text(json=isinstance(event, ToolCallDelta)))
    async for event in _replaced(lanes, redaction, events):
        begun = begun or _says_something(event) or len(waiting) == most_waiting
        waiting.append(event)
        if begun:
            for ready in waiting:
                yield ready
            waiting.clear()
    for ready in waiting:
        yield ready


async def _replaced(lanes: Lanes, redaction: Redaction, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async for event in events:
        if isinstance(event, TextEvent):
            yield lanes.take(event)
            continue
        if ends_texts(event):
            for rest in lanes.rest(event.choice):
                yield rest
        if isinstance(event, Opaque) and event.slots:
            event = event.with_texts(redaction.changes(event.texts()))
        yield event
    for rest in lanes.rest():
        yield rest


def _says_something(event: Event) -> bool:
    if isinstance(event, TextEvent):
        return bool(event.text)
    if isinstance(event, Opaque):
        return any(slot.text for slot in event.slots)
    return not isinstance(event, UsageReport)  # it opens some streams


def continuation(event: TextEvent, text: str) -> TextEvent:
    """An event of our own that goes on with the same text, without the frame that the provider sent."""
    own = msgspec.structs.replace(event, text=text, frame=None, part=0, changed=True)
    return msgspec.structs.replace(own, id=None, name=None) if isinstance(own, ToolCallDelta) else own
