"""A stream of events with the values in its texts replaced, each lane a text of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

import msgspec

from sentinel_core.messages import Channel, Event, Opaque, TextEvent, ToolCallDelta, UsageReport, ends_texts
from sentinel_plugins.guarding.handover import Handover
from sentinel_plugins.guarding.redaction import Redaction, Text

Lane: TypeAlias = tuple[int, Channel, int]
REMEMBERED = 64
"""Characters of a text that another guard searched, for whom has to go on with it: as many as decide about a value."""
MOST_WAITING = 16
"""Events ahead of the first text that a guard lets leave; where there are more, they go."""


class Lanes:
    """The texts of one stream: of each choice its content, reasoning, refusal, and the arguments of each tool call."""

    __slots__ = ("_begin", "_latest", "_texts")

    def __init__(self, begin: Callable[[TextEvent], Text]) -> None:
        """`begin` is asked for what takes the text that this event begins."""
        self._begin = begin
        self._texts: dict[Lane, Text] = {}
        self._latest: dict[Lane, TextEvent] = {}

    def take(self, event: TextEvent) -> TextEvent:
        """The event with what leaves now, if need be nothing: it may carry more than text."""
        lane = event.lane
        text = self._texts.get(lane)
        if text is None:
            text = self._texts[lane] = self._begin(event)
        self._latest[lane] = event
        return self._leaving(event.with_text(text.feed(event.text)), text)

    def rest(self, choice: int | None = None) -> Iterator[TextEvent]:
        """What is still held of a choice that ends, or of all."""
        for lane in [lane for lane in self._texts if choice is None or lane[0] == choice]:
            text, event = self._texts.pop(lane), self._latest.pop(lane)
            held = text.feed("", end=True)
            if held:
                yield self._leaving(continuation(event, held), text)

    def _leaving(self, event: TextEvent, text: Text) -> TextEvent:
        """The event, as it leaves."""
        return event


class Searched(Lanes):
    """The texts of one stream with a guard's values replaced. What another guard said of an event is not searched for
    again."""

    __slots__ = ("_handed", "_handing", "_passed", "_redaction")

    def __init__(self, redaction: Redaction, handed: Handover | None = None, handing: Handover | None = None) -> None:
        """`handed` is what the guard before this one says, `handing` what this one says to the next."""
        passed: dict[Lane, str] = {}
        super().__init__(
            lambda event: redaction.text(json=isinstance(event, ToolCallDelta), left=passed.pop(event.lane, ""))
        )
        self._passed = passed
        self._redaction = redaction
        self._handed = handed
        self._handing = handing

    def take(self, event: TextEvent) -> TextEvent:
        """See `Lanes`."""
        marks = self._handed.marks(event) if self._handed is not None else None
        if marks is None or event.lane in self._texts:
            return super().take(event)
        lane = event.lane
        self._passed[lane] = (self._passed.get(lane, "") + event.text)[-REMEMBERED:]
        return event.with_text(self._redaction.marked(event.text, marks)) if marks else event

    def replaced(self, event: Event) -> Iterator[Event]:
        """Any event, with what is still held of texts that end before their end."""
        if isinstance(event, TextEvent):
            event = self.take(event)
        elif ends_texts(event):
            yield from self.rest(event.choice)
            for lane in [lane for lane in self._passed if lane[0] == event.choice]:
                del self._passed[lane]
        if isinstance(event, Opaque) and event.slots:
            event = event.with_texts(self._redaction.changes(event.texts()))
        yield event

    def _leaving(self, event: TextEvent, text: Text) -> TextEvent:
        if self._handing is not None:
            self._handing.put(event, text.marks())
        return event


async def redacted(
    lanes: Searched, events: AsyncIterator[Event], most_waiting: int = MOST_WAITING
) -> AsyncIterator[Event]:
    """The events, with what the guard lets leave of them.

    Events ahead of the first that says something wait for it, up to so many: a refusal may still come, with a status of
    its own.
    """
    waiting: list[Event] = []
    begun = False
    async for event in events:
        if begun and isinstance(event, TextEvent):
            yield lanes.take(event)
            continue
        for ready in lanes.replaced(event):
            begun = begun or _says_something(ready) or len(waiting) == most_waiting
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
    if isinstance(event, Opaque):
        return any(slot.text for slot in event.slots)
    return not isinstance(event, UsageReport)  # it opens some streams


def continuation(event: TextEvent, text: str) -> TextEvent:
    """An event of our own that goes on with the same text, without the frame that the provider sent."""
    own = msgspec.structs.replace(event, text=text, frame=None, part=0, changed=True)
    return msgspec.structs.replace(own, id=None, name=None) if isinstance(own, ToolCallDelta) else own
