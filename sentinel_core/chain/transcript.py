"""What passed a point of a stream, kept once for everybody: extents, usage, and where needed the text."""

from __future__ import annotations

from sentinel_core.dialects.base import Dialect
from sentinel_core.messages import (
    Answer,
    Event,
    Extent,
    Finish,
    Frame,
    Opaque,
    TextEvent,
    ToolCallDelta,
    Usage,
    UsageReport,
)


class Transcript:
    """The texts of a stream by lane, without the frames that carried them."""

    __slots__ = ("_ends", "_first", "_frame", "_lanes", "_opaque", "_usage")

    def __init__(self) -> None:
        self._lanes: dict[tuple[int, str, int], list[str]] = {}
        self._first: dict[tuple[int, str, int], TextEvent] = {}
        self._ends: list[Event] = []
        self._opaque: list[Event] = []
        self._usage: UsageReport | None = None
        self._frame: Frame | None = None

    def __bool__(self) -> bool:
        return bool(self._lanes or self._ends or self._opaque)

    def add(self, event: Event) -> None:
        """Note one event."""
        if self._frame is None:
            self._frame = event.frame
        if isinstance(event, TextEvent):
            parts = self._lanes.get(event.lane)
            if parts is None:
                self._lanes[event.lane] = parts = []
                self._first[event.lane] = event
            parts.append(event.text)
        elif isinstance(event, Finish):
            self._ends.append(Finish(choice=event.choice, reason=event.reason))
        elif isinstance(event, UsageReport):
            self._usage = event
        elif isinstance(event, Opaque) and event.slots:
            self._opaque.append(Opaque(choice=event.choice, slots=event.slots))

    def answer(self, dialect: Dialect) -> Answer:
        """The stream as one unary answer."""
        events: list[Event] = []
        if self._frame is not None:
            events.append(Opaque(frame=self._frame))
        for lane, parts in self._lanes.items():
            events.append(_merged(self._first[lane], "".join(parts)))
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
    return Extent(1, sum(len(event.text) for event in events if isinstance(event, TextEvent)))


def _merged(first: TextEvent, text: str) -> TextEvent:
    if isinstance(first, ToolCallDelta):
        return ToolCallDelta(choice=first.choice, index=first.index, id=first.id, name=first.name, text=text)
    return type(first)(choice=first.choice, index=first.index, text=text)
