"""A stream of events with the values in its texts replaced, each lane a text of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

import msgspec

from sentinel_core.messages import Channel, Event, Finish, Opaque, TextEvent, ToolCallDelta
from sentinel_plugins.guarding.handover import Handover
from sentinel_plugins.guarding.redaction import Redaction, Text

Lane: TypeAlias = tuple[int, Channel, int]
REMEMBERED = 64
"""Characters of a text that another guard searched, for whom has to go on with it: as many as decide about a value."""
MOST_WAITING = 16
"""Events ahead of the first text that a guard lets leave; where there are more, they go."""


class Lanes:
    """The texts of one stream: of each choice its content, reasoning, refusal, and the arguments of each tool call."""

    __slots__ = ("_handed", "_handing", "_latest", "_passed", "_redaction", "_texts")

    def __init__(self, redaction: Redaction, handed: Handover | None = None, handing: Handover | None = None) -> None:
        """`handed` is what the guard before this one says, `handing` what this one says to the next."""
        self._redaction = redaction
        self._handed = handed
        self._handing = handing
        self._texts: dict[Lane, Text] = {}
        self._latest: dict[Lane, TextEvent] = {}
        self._passed: dict[Lane, str] = {}

    def take(self, event: TextEvent) -> TextEvent:
        """The event with what leaves now, if need be nothing: it may carry more than text."""
        lane = event.lane
        marks = self._handed.marks(event) if self._handed is not None else None
        if marks is not None and lane not in self._texts:
            self._passed[lane] = (self._passed.get(lane, "") + event.text)[-REMEMBERED:]
            return event.with_text(self._redaction.marked(event.text, marks)) if marks else event
        text = self._texts.get(lane)
        if text is None:
            json = isinstance(event, ToolCallDelta)
            text = self._texts[lane] = self._redaction.text(json=json, left=self._passed.pop(lane, ""))
        self._latest[lane] = event
        return self._leaving(event.with_text(text.feed(event.text)), text)

    def _leaving(self, event: TextEvent, text: Text) -> TextEvent:
        if self._handing is not None:
            self._handing.put(event, text.marks())
        return event

    def replaced(self, event: Event) -> Iterator[Event]:
        """Any event, with what is still held of a choice that ends before its end."""
        if isinstance(event, TextEvent):
            event = self.take(event)
        elif isinstance(event, Finish):
            yield from self.rest(event.choice)
        elif isinstance(event, Opaque) and event.slots:
            event = event.with_texts(self._redaction.changes(event.texts()))
        yield event

    def rest(self, choice: int | None = None) -> Iterator[TextEvent]:
        """What is still held of a choice that ends, or of all."""
        for lane in [lane for lane in self._texts if choice is None or lane[0] == choice]:
            text, event = self._texts.pop(lane), self._latest.pop(lane)
            held = text.feed("", end=True)
            if held:
                yield self._leaving(continuation(event, held), text)


async def redacted(lanes: Lanes, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The events, with what the guard lets leave of them.

    Events ahead of the first that says something wait for it: a refusal may still come, with a status of its own.
    """
    waiting: list[Event] = []
    begun = False
    async for event in events:
        if begun and isinstance(event, TextEvent):
            yield lanes.take(event)
            continue
        for ready in lanes.replaced(event):
            begun = begun or _says_something(ready) or len(waiting) == MOST_WAITING
            waiting.append(ready)
        if begun:
            for ready in waiting:
                yield ready
            waiting.clear()
    for ready in (*waiting, *lanes.rest()):
        yield ready


def _says_something(event: Event) -> bool:
    if isinstance(event, TextEvent):
        return bool(event.text)
    return not isinstance(event, Opaque) or bool(event.slots)


def continuation(event: TextEvent, text: str) -> TextEvent:
    """An event of our own that goes on with the same text, without the frame that the provider sent."""
    own = msgspec.structs.replace(event, text=text, frame=None, part=0, changed=True)
    return msgspec.structs.replace(own, id=None, name=None) if isinstance(own, ToolCallDelta) else own
