"""The two ends of a stream: the source, where the upstream's events come in, and what the caller iterates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import perf_counter

from sentinel_core.cancellation import called_off
from sentinel_core.chain.faults import is_fault
from sentinel_core.chain.held_ends import HeldEnds
from sentinel_core.chain.resumed import CutOff, resumed
from sentinel_core.chain.rows import Rows
from sentinel_core.chain.transcript import Meter, Transcript
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import TEXTS, Event, Finish, UsageReport
from sentinel_core.reply import EventStream, Reading


class Source:
    """Iterates the reply that came out of dispatch; counts what was produced and keeps the last usage.

    Where guards will have `read` it, frames leave re-encoded: of a repeated key the guards saw only the last value, and
    nobody else may see another. Where a choice is `one_text`, its end is then held until nothing of it can come any
    more.
    """

    __slots__ = ("_holds", "_kept", "_loop", "_next", "_read", "_reading", "_rows", "_stream", "meter")

    def __init__(
        self, stream: EventStream, rows: Rows, kept: Transcript | None, *, read: bool = False, one_text: bool = True
    ) -> None:
        self._stream = stream
        self._rows = rows
        self._reading = Reading()
        self._next = stream.taken(self._reading).__anext__
        self._loop = asyncio.get_running_loop()
        self._kept = kept
        self._read = read
        self._holds = read and one_text
        self.meter = Meter()

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> Event:
        reading = self._reading
        reading.task = asyncio.current_task(self._loop)
        try:
            event = await self._next()
        except StopAsyncIteration:
            self._stream.ended(None)
            self.meter.ended = True
            raise
        except CutOff:
            raise
        except BaseException as exc:  # a cancellation that nobody asked for is the provider's fault
            self._stream.ended(exc)
            if isinstance(exc, asyncio.CancelledError):
                self._next = resumed(self._next)
            if is_fault(exc):
                raise self._rows.fault(exc) from exc
            raise
        finally:
            if reading.awaited is None:
                reading.task = None  # a call less for every event of every stream
            else:
                reading.leave()
        if self._read and event.frame is not None:
            event.frame.reencode = True
        meter = self.meter
        if isinstance(event, TEXTS):
            meter.chars += len(event.text)
        elif isinstance(event, UsageReport):
            meter.usage = event.usage
        elif self._holds and isinstance(event, Finish):
            self._holds = False
            self._next = HeldEnds(event, self._next).__anext__
            return await self.__anext__()
        meter.events += 1
        if self._kept is not None:
            self._kept.add(event)
        return event


class Delivery:
    """The stream as the caller iterates it: after every guard and every restoration, at the caller's pace.

    Iterate it inside `async with gateway.open(ctx)`. Raises `Refusal`, `UpstreamError` or `StageFault` where the
    reply breaks, and again to whoever reads on; a reply that just ends is complete. After a read that was cancelled,
    one may read on: what cannot go on raises `UpstreamError` (upstream_stream_interrupted). Where no layer stands
    between, it reads the upstream's events themselves, and tells their stream how they ended.
    """

    __slots__ = (
        "_broken_off",
        "_cut_off",
        "_failed",
        "_failure",
        "_guarded",
        "_loop",
        "_next",
        "_reading",
        "_taken",
        "closed",
        "exhausted",
        "first_event_at",
        "meter",
    )

    def __init__(
        self,
        source: AsyncIterator[Event],
        reading: Reading,
        guarded: Transcript | None,
        failed: Callable[[BaseException], Awaitable[BaseException]],
    ) -> None:
        self._taken = source if isinstance(source, EventStream) else None
        self._next = (source.taken(reading) if isinstance(source, EventStream) else source).__anext__
        self._reading = reading
        self._guarded = guarded
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self.meter = Meter()
        self.exhausted = False
        self.closed = False
        self._failure: BaseException | None = None
        self._broken_off = self._cut_off = False
        self.first_event_at: float | None = None

    def __aiter__(self) -> Delivery:
        return self

    async def __anext__(self) -> Event:
        if self.closed:
            raise self._over()
        reading = self._reading
        reading.task = asyncio.current_task(self._loop)
        try:
            event = await self._next()
        except StopAsyncIteration:
            self._ended(None)
            raise
        except BaseException as exc:  # but for a cancelled read, the stream has ended
            self._ended(exc)
            broken_off = self._broken_off and reading.awaited is not None
            failure = called_off(exc) if broken_off else await self._failed(exc)
            if isinstance(failure, asyncio.CancelledError):
                self._next = resumed(self._next)
            elif not self.closed:
                self.closed, self._failure = True, failure
            if failure is exc:
                raise
            raise failure from exc
        finally:
            if reading.awaited is None:
                reading.task = None  # as in `Source`
            else:
                reading.leave()
        meter = self.meter
        if not meter.events:
            self.first_event_at = perf_counter()
        meter.events += 1
        if isinstance(event, TEXTS):
            meter.chars += len(event.text)
        elif isinstance(event, UsageReport):
            meter.usage = event.usage
        if self._guarded is not None:
            self._guarded.add(event)
        return event

    def _ended(self, failure: BaseException | None) -> None:
        """Note the end, and tell the stream whose events these are."""
        if failure is None:
            self.exhausted = self.meter.ended = True
        if self._taken is not None and not isinstance(failure, CutOff):
            self._taken.ended(failure)

    def _over(self) -> BaseException:
        """What is raised to one who reads on: an end only where the reply had its own, or its owner has left it."""
        if self._broken_off:
            return Refusal("draining", retry_after_s=1)
        if self._cut_off:
            return UpstreamError("upstream_stream_interrupted")
        return self._failure or StopAsyncIteration()

    def break_off(self) -> None:
        """The exchange ends without its owner: whatever was not read yet is not read any more."""
        self.closed = True
        self._broken_off = not self.exhausted and self._failure is None

    def detach(self) -> None:
        """The exchange is over: give nothing more, and let go of it."""
        self.closed = True
        self._failed = _unnoted
        self._cut_off, self._failure = self._failure is not None, None  # which was raised in what it would be kept by
        self._next = _nothing  # no cycle with the exchange is left


async def _unnoted(exc: BaseException) -> BaseException:
    return exc


async def _nothing() -> Event:
    raise StopAsyncIteration
