"""What passed a point of a stream, kept once for everybody: extents, usage, and where needed the text."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from sentinel_core.dialects.base import Dialect
from sentinel_core.events import TEXTS, Event, Extent, Finish, Frame, Opaque, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage


class Transcript:
    """The texts of a stream by lane, without the frames that carried them."""

    __slots__ = (
        "_choice",
        "_ends",
        "_first",
        "_frame",
        "_index",
        "_kind",
        "_lanes",
        "_opaque",
        "_usage",
        "_write",
        "unreadable",
    )

    def __init__(self) -> None:
        self._lanes: dict[tuple[int, str, int], StringIO] = {}
        self._first: dict[tuple[int, str, int], TextEvent] = {}
        self._ends: list[Event] = []
        self._opaque: list[Event] = []
        self._usage: UsageReport | None = None
        self._frame: Frame | None = None
        self._kind: type[Event] | None = None
        self._choice = self._index = 0
        self._write: Callable[[str], int] = StringIO().write
        self.unreadable = False
        """Whether there were parts that are no text, which are not kept."""

    def __bool__(self) -> bool:
        return bool(self._lanes or self._ends or self._opaque)

    @property
    def finish_reason(self) -> str | None:
        """How the first choice that ended did; None while none has."""
        return next((end.reason for end in self._ends if isinstance(end, Finish)), None)

    def add(self, event: Event) -> None:
        """Note one event. Most go on where the one before them ended."""
        if (
            event.__class__ is self._kind
            and isinstance(event, TEXTS)
            and event.choice == self._choice
            and event.index == self._index
        ):
            self._write(event.text)
        else:
            self._note(event)

    def _note(self, event: Event) -> None:
        if self._frame is None:
            self._frame = event.frame
        if isinstance(event, TEXTS):
            parts = self._lanes.get(event.lane)
            if parts is None:
                self._lanes[event.lane] = parts = StringIO()
                self._first[event.lane] = event
            self._kind, self._choice, self._index = event.__class__, event.choice, event.index
            self._write = parts.write
            parts.write(event.text)
        elif isinstance(event, Finish):
            self._ends.append(Finish(choice=event.choice, reason=event.reason))
        elif isinstance(event, UsageReport):
            self._usage = event
        elif isinstance(event, Opaque):
            self.unreadable = self.unreadable or event.unreadable
            if event.slots:
                self._opaque.append(Opaque(choice=event.choice, slots=event.slots))

    def answer(self, dialect: Dialect) -> Answer:
        """The stream as one unary answer."""
        events: list[Event] = []
        if self._frame is not None:
            events.append(Opaque(frame=self._frame))
        for lane, parts in self._lanes.items():
            events.append(_merged(self._first[lane], parts.getvalue()))
        events += self._opaque
        events += self._ends
        if self._usage is not None:
            events.append(UsageReport(usage=self._usage.usage))
        return dialect.assemble(events)


class Meter:
    """Counts what passes: events, characters, the last usage; and notes whether the end was seen."""

    __slots__ = ("chars", "ended", "events", "usage")

    def __init__(self) -> None:
        self.events = 0
        self.chars = 0
        self.ended = False
        self.usage: Usage | None = None

    @property
    def extent(self) -> Extent:
        """How much passed so far."""
        return Extent(self.events, self.chars)


def extent_of(answer: Answer) -> Extent:
    """The extent of a unary answer: one event, the characters of its channels."""
    events = answer.dialect.decompose(answer)
    return Extent(1, sum(len(event.text) for event in events if isinstance(event, TEXTS)))


def _merged(first: TextEvent, text: str) -> TextEvent:
    if isinstance(first, ToolCallDelta):
        return ToolCallDelta(choice=first.choice, index=first.index, id=first.id, name=first.name, text=text)
    return type(first)(choice=first.choice, index=first.index, text=text)
