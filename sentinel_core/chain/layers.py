"""One stage of a stream: its generator, its own time, its verdict, and who is reading it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from inspect import isawaitable, iscoroutine

from sentinel_core.chain.clock import OwnTime
from sentinel_core.chain.faults import Entry, as_fault, is_fault, unasked
from sentinel_core.chain.phases import Phase
from sentinel_core.chain.same_text import SameText
from sentinel_core.chain.verdicts import Verdicts
from sentinel_core.context import Context
from sentinel_core.errors import Refusal, StageFault
from sentinel_core.keys import VerdictResult
from sentinel_core.messages import Event, Finish, Opaque, TextEvent
from sentinel_core.reply import Reading, logged


class StreamLayer:
    """Iterates one stage's `on_stream` over the layer below it."""

    __slots__ = (
        "_changed",
        "_clock",
        "_entry",
        "_events",
        "_input",
        "_loop",
        "_next",
        "_reading",
        "_released",
        "_text",
        "_unread",
        "_verdicts",
    )

    def __init__(
        self,
        entry: Entry,
        phase: Phase,
        ctx: Context,
        source: AsyncIterator[Event],
        seconds: list[float],
        verdicts: Verdicts,
    ) -> None:
        self._entry = entry
        self._clock = OwnTime(seconds, entry.position, entry.timeout_s)
        self._text = SameText()
        self._input = LayerInput(source, self._clock, self._text if entry.guard else None, tracked=entry.guard)
        self._reading = Reading()
        self._loop = asyncio.get_running_loop()
        self._verdicts = verdicts
        self._released = 0
        self._changed = False
        self._unread = False
        try:
            self._events: AsyncIterator[Event] = phase(ctx, self._input)
            self._next = getattr(self._events, "__anext__", None)
        except BaseException as exc:  # `_failure` tells a fault from what is somebody else's
            failure = self._failure(exc)
            if failure is exc:
                raise
            raise failure from exc

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
                raise self._late() from None
            raise
        except BaseException as exc:  # as above
            clock.stop()
            failure = self._failure(exc)
            if failure is exc:
                raise
            raise failure from exc
        else:
            clock.stop()
            if clock.expired:
                raise self._late()
            if self._entry.timeout_s is not None:
                clock.refill()
        finally:
            if reading.awaited is None:
                reading.task = None  # as in `Delivery`
            else:
                reading.leave()
        if self._entry.guard:
            self._account(event)
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
        if not self._entry.guard:
            return
        result: VerdictResult
        if not self._input.ended:
            result = "partial"
        elif self._changed or self._text.altered:
            result = "masked"
        else:
            result = "partial" if self._unread else "allowed"
        self._verdicts.note(self._entry, "response", result, self._released)

    def _late(self) -> StageFault:
        self._verdicts.note(self._entry, "response", "error", self._released)
        return as_fault(self._entry, "on_stream", TimeoutError(), "took too long")

    async def _settled(self) -> Event:
        """The first event of what a plain function returned: an awaitable, or an iterable that is no iterator yet."""
        events: object = self._events
        if isawaitable(events):
            events = await events
        if not hasattr(events, "__aiter__"):
            raise TypeError(f"on_stream must return an async iterator, got {type(events).__name__}")
        self._events = events.__aiter__()
        self._next = self._events.__anext__
        event: Event = await self._next()
        return event

    def _account(self, event: Event) -> None:
        if isinstance(event, TextEvent):
            self._released += len(event.text)
            self._text.left(event)
            return
        if isinstance(event, Finish):
            self._text.end_left(event)
        if isinstance(event, Opaque) and not self._was_read(event):
            self._unread = True
            if self._entry.unscannable == "block":
                self._verdicts.note(self._entry, "response", "blocked", self._released)
                raise Refusal("content_policy_violation")
        self._changed = self._changed or event.changed

    def _was_read(self, event: Opaque) -> bool:
        """Whether the stage looked at all of it, as far as that is text."""
        if event.slots and not self._input.was_read(event):
            return False
        return self._entry.reads_all or not event.unreadable

    def _failure(self, exc: BaseException) -> BaseException:
        """What to raise for an exception out of the stage's generator."""
        if exc is self._input.error:
            return exc
        if isinstance(exc, Refusal):
            self._verdicts.note(self._entry, "response", "blocked", self._released)
            return exc
        timed_out = self._clock.expired and isinstance(exc, asyncio.CancelledError) and unasked(exc)
        if timed_out or is_fault(exc):
            self._verdicts.note(self._entry, "response", "error", self._released)
            late = timed_out or isinstance(exc, TimeoutError)
            return as_fault(self._entry, "on_stream", exc, "took too long" if late else "raised")
        return exc


class LayerInput:
    """What a stage iterates: the layer below, with the stage's clock stopped while it waits."""

    __slots__ = ("_clock", "_readers", "_source", "_text", "ended", "error")

    def __init__(
        self, source: AsyncIterator[Event], clock: OwnTime | None, text: SameText | None = None, *, tracked: bool
    ) -> None:
        self._source = source
        self._clock = clock
        self._readers: set[tuple[int, int]] | None = set() if tracked else None
        self._text = text
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
        if self._readers is None:
            return event
        if not isinstance(event, TextEvent):
            return self._track(event)
        if self._text is not None:
            self._text.came(event)
        return event

    def was_read(self, event: Opaque) -> bool:
        """Whether the stage looked at this event's strings; one that it made itself counts as read."""
        return event.readers is None or (id(event.frame), event.part) in event.readers

    def _track(self, event: Event) -> Event:
        """The event, so that one that has strings outside the channels notes who reads them."""
        if isinstance(event, Finish):
            if self._text is not None:
                self._text.end_came(event)
        elif isinstance(event, Opaque) and event.slots:
            return Opaque(
                choice=event.choice,
                frame=event.frame,
                part=event.part,
                changed=event.changed,
                slots=event.slots,
                patches=event.patches,
                readers=self._readers,
                ends=event.ends,
            )
        return event
