"""One stage of a stream that may wait: its generator, its own time, its verdict, and who is reading it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from inspect import isawaitable, iscoroutine

from sentinel_core.cancellation import unasked
from sentinel_core.chain.clock import OwnTime
from sentinel_core.chain.entry import Entry
from sentinel_core.chain.passage import Passage, iterated
from sentinel_core.chain.phases import Phase
from sentinel_core.chain.resumed import resumed
from sentinel_core.chain.verdicts import Verdicts
from sentinel_core.context import Context
from sentinel_core.events import Event
from sentinel_core.reply import Reading, logged
from sentinel_core.transform import EventTransform, Transformed


class StreamLayer:
    """Iterates one stage's `on_stream` over the layer below it."""

    __slots__ = ("_clock", "_entry", "_events", "_input", "_loop", "_next", "_reading", "passage")

    def __init__(
        self,
        entry: Entry,
        phase: Phase,
        ctx: Context,
        source: AsyncIterator[Event],
        seconds: list[float],
        verdicts: Verdicts,
    ) -> None:
        self.passage = Passage(entry, verdicts)
        self._entry = entry
        self._clock = OwnTime(entry.timeout_s, seconds, entry.position)
        self._input = LayerInput(source, self._clock, self.passage.came)
        self._reading = Reading()
        self._loop = asyncio.get_running_loop()
        try:
            self._events: AsyncIterator[Event] = phase(ctx, self._input)
            self._next = getattr(self._events, "__anext__", None)
        except BaseException as exc:  # `_failure` tells a fault from what is somebody else's
            failure = self._failure(exc)
            if failure is exc:
                raise
            raise failure from exc

    @property
    def transform(self) -> EventTransform | None:
        """What the stage does with each event, if it waits for nothing but the layer below."""
        events = self._events
        return events.transform if isinstance(events, Transformed) and events.events is self._input else None

    def __aiter__(self) -> StreamLayer:
        return self

    async def __anext__(self) -> Event:
        reading, clock = self._reading, self._clock
        reading.task = asyncio.current_task(self._loop)
        clock.start()
        try:
            event = await (self._next() if self._next is not None else self._settled())
        except StopAsyncIteration:
            clock.stop()
            if clock.expired:
                raise self.passage.late() from None
            raise
        except BaseException as exc:  # the clock stops for a cancellation as well
            clock.stop()
            if isinstance(exc, asyncio.CancelledError) and self._next is not None:
                self._next = resumed(self._next)
            failure = self._failure(exc)
            if failure is exc:
                raise
            raise failure from exc
        else:
            clock.stop()
            if clock.expired:
                raise self.passage.late()
            if self._entry.timeout_s is not None:
                clock.refill()
        finally:
            if reading.awaited is None:
                reading.task = None  # as in `Source`
            else:
                reading.leave()
        self.passage.left(event)
        return event

    async def aclose(self) -> None:
        """End a pending read, then the generator. Its faults are logged: the layers below must close too."""
        await self._reading.stop(asyncio.current_task())
        aclose = getattr(self._events, "aclose", None)
        if aclose is not None:
            await logged(aclose)
        elif iscoroutine(self._events):
            self._events.close()  # nobody asked it for an event

    def conclude(self) -> None:
        """State the verdict, once the stream is over."""
        self.passage.ended = self._input.ended
        self.passage.conclude()

    async def _settled(self) -> Event:
        """The first event of what a plain function returned: an awaitable, or an iterable that is no iterator yet."""
        events: object = self._events
        if isawaitable(events):
            events = await events
        self._events = iterated(events)
        self._next = self._events.__anext__
        event: Event = await self._next()
        return event

    def _failure(self, exc: BaseException) -> BaseException:
        """What to raise for an exception out of the stage's generator."""
        if exc is self._input.error:
            return exc
        timed_out = self._clock.expired and isinstance(exc, asyncio.CancelledError) and unasked(exc)
        return self.passage.failure(exc, timed_out=timed_out)


class LayerInput:
    """What a stage iterates: the layer below, with the stage's clock stopped while it waits.

    `came` is told of each event, and says what the stage is given.
    """

    __slots__ = ("_came", "_clock", "_source", "ended", "error")

    def __init__(self, source: AsyncIterator[Event], clock: OwnTime | None, came: Callable[[Event], Event]) -> None:
        self._source = source
        self._clock = clock
        self._came = came
        self.ended = False
        self.error: BaseException | None = None

    def __aiter__(self) -> LayerInput:
        return self

    async def __anext__(self) -> Event:
        clock = self._clock
        if clock is not None:
            clock.wait()
        try:
            event = await self._source.__anext__()
        except StopAsyncIteration:
            self.ended = True
            raise
        except BaseException as exc:  # what ended the input, a cancellation too, is not the layer's own
            self.error = exc
            raise
        finally:
            if clock is not None:
                clock.resume()
        return self._came(event)
