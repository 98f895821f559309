"""Neighbouring stages of a stream that never wait, in one loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from time import perf_counter
from typing import Any

from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import WrongResult
from sentinel_core.chain.passage import Passage
from sentinel_core.events import TEXTS, Event
from sentinel_core.transform import EventTransform

_READY = (tuple, list)
_NO_MORE: Any = object()  # not None, which a stage may have given in the place of an event


class Segment:
    """One stage of a pipe: its transform, its own time, its verdict."""

    __slots__ = ("_end", "_event", "_limit", "_position", "_seconds", "_spent", "passage")

    def __init__(self, entry: Entry, transform: EventTransform, seconds: list[float], passage: Passage) -> None:
        self.passage = passage
        try:
            self._event = transform.event
            self._end = transform.end
        except AttributeError as exc:
            wrong = WrongResult(f"a transform has the methods event and end, got {type(transform).__name__}")
            raise passage.failure(wrong) from exc
        self._limit = entry.timeout_s
        self._position = entry.position
        self._seconds = seconds
        self._spent = 0.0

    def through(self, event: Event | None) -> Sequence[Event]:
        """What the stage hands on for the next event; for None, the end of the stream."""
        started = perf_counter()
        try:
            given = self._event(event) if event is not None else self._end()
            if not isinstance(given, _READY):  # a generator, say: it is the stage's own code that fails here
                given = tuple(given)
        except BaseException as exc:  # `failure` tells a fault from what is somebody else's
            self._seconds[self._position] += perf_counter() - started
            failure = self.passage.failure(exc)
            if failure is exc:
                raise
            raise failure from exc
        elapsed = perf_counter() - started
        self._seconds[self._position] += elapsed
        if self._limit is not None:
            self._spend(elapsed, self._limit)
            if given:
                self._spent = 0.0
        return given

    def _spend(self, elapsed: float, limit: float) -> None:
        """Nobody can interrupt a plain function: that it took too long is said afterwards."""
        self._spent += elapsed
        if self._spent > limit:
            raise self.passage.late()


class Pipe:
    """Iterates the transforms of neighbouring stages over the layer below them, the first segment innermost.

    What one segment hands on goes through those outside of it before the next is looked at, and before another event is
    asked for, as it would through generators. It waits only inside of the layer below, whose close ends that.
    """

    __slots__ = ("_ended", "_given", "_segments", "_source")

    def __init__(self, source: AsyncIterator[Event]) -> None:
        self._source = source
        self._segments: list[Segment] = []
        self._given: list[tuple[int, Iterator[Event]]] = []
        """What segments gave and nobody has taken yet, the outermost last; each with how many stand behind it."""
        self._ended = -1
        """How many segments have heard the end; -1 while it has not come."""

    def add(self, segment: Segment) -> None:
        """One more stage, outside of those that are there."""
        self._segments.append(segment)

    def __aiter__(self) -> Pipe:
        return self

    async def __anext__(self) -> Event:
        event: Event | None = None
        while event is None:
            if self._given:
                event = self._taken()
            elif self._ended < 0:
                try:
                    came = await self._source.__anext__()
                except StopAsyncIteration:
                    self._ended = 0
                else:
                    event = self._on(came, 0)
            else:
                self._end()
        return event

    async def aclose(self) -> None:
        """There is nothing to end."""

    def conclude(self) -> None:
        """State the verdicts, once the stream is over."""
        for segment in reversed(self._segments):
            segment.passage.conclude()

    def _on(self, event: Event, at: int) -> Event | None:
        """Through the segments from that place on: the event that leaves the last one, if it is one for one so far."""
        for segment in self._segments[at:]:
            at += 1
            if isinstance(event, TEXTS):
                given = segment.through(event)
                if len(given) == 1 and isinstance(left := given[0], TEXTS):  # as a rule
                    passage = segment.passage
                    passage.released += len(left.text)
                    text = passage.text
                    if left is not event or text.due or text.latest is not None:
                        text.passed(event, left)
                    event = left
                    continue
                segment.passage.came(event)
            else:
                given = segment.through(segment.passage.came(event))
            self._given.append((at, iter(given)))
            return None
        return event

    def _taken(self) -> Event | None:
        """The next of what a segment gave, through those outside of it."""
        at, given = self._given[-1]
        event = next(given, _NO_MORE)
        if event is _NO_MORE:
            self._given.pop()
            return None
        self._segments[at - 1].passage.left(event)
        return self._on(event, at)

    def _end(self) -> None:
        """The end, which each segment hears of when it has what the ones below it still held."""
        if self._ended == len(self._segments):
            raise StopAsyncIteration
        segment = self._segments[self._ended]
        self._ended += 1
        segment.passage.ended = True
        self._given.append((self._ended, iter(segment.through(None))))
