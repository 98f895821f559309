"""A stream of events with the values in its texts replaced, each lane a text of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from sentinel_core.events import TEXTS, Channel, Event, Opaque, TextEvent, ToolCallDelta, UsageReport, ends_texts
from sentinel_core.transform import Transformed
from sentinel_plugins.guarding.handover import Handover
from sentinel_plugins.guarding.redaction import Redaction, Text
from sentinel_plugins.guarding.told import Told

Lane: TypeAlias = tuple[int, Channel, int]
Begin: TypeAlias = Callable[[TextEvent], Text]
"""Is asked for what takes the text that this event begins."""
REMEMBERED = 64
"""Characters of a text that another guard searched, for whom has to go on with it: as many as decide about a value."""
MOST_WAITING = 16
"""Events ahead of the first text that a guard lets leave; where there are more, they go."""


class Lanes:
    """The texts of one stream: of each choice its content, reasoning, refusal, and the arguments of each tool call."""

    __slots__ = ("_begin", "_latest", "_texts")

    def __init__(self, begin: Begin) -> None:
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
    """The texts of one stream with a guard's values replaced."""

    __slots__ = ("_handing", "_redaction")

    def __init__(self, redaction: Redaction, handing: Handover | None = None, begin: Begin | None = None) -> None:
        """`handing` is what this guard says to the next."""
        super().__init__(begin or (lambda event: redaction.text(kind=event.kind)))
        self._redaction = redaction
        self._handing = handing

    def replaced(self, event: Event) -> Iterator[Event]:
        """Any event, with what is still held of texts that end before their end."""
        if isinstance(event, TEXTS):
            event = self.take(event)
        elif ends_texts(event):
            yield from self.rest(event.choice)
        if isinstance(event, Opaque) and event.slots:
            event = event.with_texts(self._redaction.changes(event.texts()))
        yield event

    def _leaving(self, event: TextEvent, text: Text) -> TextEvent:
        if self._handing is not None:
            self._handing.put(event, text.marks())
        return event


class Marked(Searched):
    """The same where another guard has searched already: what it said of an event is not searched for again.

    Once that one has put something into a text, it is searched as well: what stands beside that reads otherwise now.
    """

    __slots__ = ("_handed", "_passed", "_told")

    def __init__(self, redaction: Redaction, handed: Handover) -> None:
        """`handed` is what the guard before this one says."""
        passed: dict[Lane, str] = {}
        told: dict[Lane, Told] = {}

        def begin(event: TextEvent) -> Text:
            return redaction.text(kind=event.kind, left=passed.pop(event.lane, ""), told=told[event.lane])

        super().__init__(redaction, begin=begin)
        self._handed = handed
        self._passed = passed
        self._told = told

    def take(self, event: TextEvent) -> TextEvent:
        """See `Lanes`."""
        marks, lane = self._handed.marks(event), event.lane
        if marks is None or lane in self._told or (marks and any(mark.gone for mark in marks)):
            self._told.setdefault(lane, Told()).tell(marks or (), len(event.text))
            return super().take(event)
        self._passed[lane] = (self._passed.get(lane, "") + event.text)[-REMEMBERED:]
        return event.with_text(self._redaction.marked(event.text, marks)) if marks else event

    def rest(self, choice: int | None = None) -> Iterator[TextEvent]:
        """See `Lanes`."""
        yield from super().rest(choice)
        for lanes in (self._passed, self._told):
            for lane in [lane for lane in lanes if choice is None or lane[0] == choice]:
                del lanes[lane]


class Redacting:
    """What a guard lets leave of each event.

    Events ahead of the first that says something wait for it, up to so many: a refusal may still come, with a status of
    its own.
    """

    __slots__ = ("_begun", "_lanes", "_most_waiting", "_waiting")

    def __init__(self, lanes: Searched, most_waiting: int) -> None:
        self._lanes = lanes
        self._most_waiting = most_waiting
        self._waiting: list[Event] = []
        self._begun = False

    def event(self, event: Event) -> Sequence[Event]:
        """The event as it leaves, behind what is still held of a text that it ends."""
        if self._begun:
            return (self._lanes.take(event),) if isinstance(event, TEXTS) else [*self._lanes.replaced(event)]
        for ready in self._lanes.replaced(event):
            self._begun = self._begun or _says_something(ready) or len(self._waiting) == self._most_waiting
            self._waiting.append(ready)
        return self._gone() if self._begun else ()

    def end(self) -> Sequence[Event]:
        """Whatever is held."""
        return [*self._gone(), *self._lanes.rest()]

    def _gone(self) -> Sequence[Event]:
        waiting, self._waiting = self._waiting, []
        return waiting


def redacted(lanes: Searched, events: AsyncIterator[Event], most_waiting: int = MOST_WAITING) -> Transformed:
    """The events, with what the guard lets leave of them."""
    return Transformed(Redacting(lanes, most_waiting), events)


def _says_something(event: Event) -> bool:
    if isinstance(event, TEXTS):
        return bool(event.text)
    if isinstance(event, Opaque):
        return any(slot.text for slot in event.slots)
    return not isinstance(event, UsageReport)  # it opens some streams


def continuation(event: TextEvent, text: str) -> TextEvent:
    """An event of our own that goes on with the same text, without the frame that the provider sent."""
    own = msgspec.structs.replace(event, text=text, frame=None, part=0, changed=True)
    return msgspec.structs.replace(own, id=None, name=None) if isinstance(own, ToolCallDelta) else own
