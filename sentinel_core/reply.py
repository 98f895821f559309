"""The two kinds of reply, and what hangs on a reply's end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from sentinel_core.attempt import Ending
from sentinel_core.cancellation import own_failure
from sentinel_core.events import Event
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

log = logging.getLogger("sentinel.chain")

OnClose: TypeAlias = Callable[[Ending], None]


async def _nothing() -> None:
    return None


class Reading:
    """Who is waiting inside a stream's read right now, so that a close can end that wait first."""

    __slots__ = ("awaited", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[object] | None = None
        self.awaited: asyncio.Future[None] | None = None

    def leave(self) -> None:
        """The read is over. Where nobody has `awaited` that, setting `task` to None is the same."""
        self.task = None
        if self.awaited is not None and not self.awaited.done():
            self.awaited.set_result(None)

    async def stop(self, closer: asyncio.Task[object] | None) -> None:
        """Cancel a pending read of a task other than the closer's and wait until it has left."""
        reader = self.task
        if reader is None or reader is closer or reader.done():
            return
        self.awaited = asyncio.get_running_loop().create_future()
        reader.cancel()
        waiting: tuple[asyncio.Future[Any], ...] = (reader, self.awaited)  # of different results
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


class EventStream:
    """A streamed reply: an iterator of events, and the duty to close what feeds it.

    `close` releases the upstream; it is awaited exactly once, whether or not anybody pulled an event. Iterate it
    once, from one task at a time. A read that is pending when the stream is closed is cancelled. `dropped` names what
    of the request the upstream could not be told. `dialect` is the form of the events, as that of an
    `Answer` is the form of its body: whose frames they have, and OpenAI's chat where they have none.
    """

    __slots__ = (
        "_callbacks",
        "_close",
        "_closed",
        "_ending",
        "_failure",
        "_iterator",
        "_loop",
        "_reading",
        "dialect",
        "dropped",
    )

    def __init__(
        self,
        events: AsyncIterator[Event],
        close: Callable[[], Awaitable[None]] = _nothing,
        dropped: tuple[str, ...] = (),
        *,
        dialect: Dialect,
    ) -> None:
        self.dialect = dialect
        self.dropped = dropped
        self._iterator = events.__aiter__()
        self._close = close
        self._callbacks: list[OnClose] = []
        self._ending: Ending | None = None
        self._failure: BaseException | None = None
        self._reading = Reading()
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[None] | None = None

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        if self._closed is not None:
            raise StopAsyncIteration
        self._reading.task = asyncio.current_task(self._loop)
        try:
            return await self._iterator.__anext__()
        except StopAsyncIteration:
            self.ended(None)
            raise
        except BaseException as exc:  # whatever it was, a cancellation too, the stream has ended
            self.ended(exc)
            raise
        finally:
            reading = self._reading
            if reading.awaited is None:
                reading.task = None
            else:
                reading.leave()

    def taken(self, reading: Reading) -> AsyncIterator[Event]:
        """The bare events, for the one consumer that keeps `reading` itself and says with `ended` how they ended.

        It stands where this stream would only stand in between, for every event of every stream.
        """
        self._reading = reading
        return self._iterator

    def ended(self, failure: BaseException | None) -> None:
        """The consumer that took the events has seen their end, or what broke them. The first word counts."""
        if failure is None:
            self._ending = self._ending or "completed"
            return
        reader = self._reading.task
        asked = isinstance(failure, asyncio.CancelledError) and reader is not None and reader.cancelling()
        if self._ending is None and not asked and not isinstance(failure, GeneratorExit):
            self._ending, self._failure = "failed", failure  # also where the provider's own code cancelled itself

    def on_close(self, callback: OnClose) -> None:
        """Call `callback(ending)` once when this stream is over; at once if it already is."""
        if self._closed is not None and self._closed.done():
            _notify(callback, self._ending or "discarded")
        else:
            self._callbacks.append(callback)

    @property
    def ending(self) -> Ending | None:
        """How the stream ended; None while it has neither ended nor been closed."""
        return self._ending

    @property
    def failure(self) -> BaseException | None:
        """What broke it, where its ending is `failed`."""
        return self._failure

    async def aclose(self) -> None:
        """Cancel a pending read, release the upstream, call what hangs on the end. Safe to call again.

        Whoever is cancelled while it waits here leaves, and the close goes on; the owner waits for it.
        """
        if self._closed is None:
            self._closed = asyncio.create_task(self._release(asyncio.current_task()))
        await asyncio.shield(self._closed)

    async def aclose_owned(self) -> None:
        """`aclose` without a task of its own, for an owner that nobody can cancel."""
        if self._closed is not None:
            await asyncio.shield(self._closed)
            return
        self._closed = closed = self._loop.create_future()
        try:
            await self._release(asyncio.current_task())
        finally:
            closed.set_result(None)

    async def _release(self, closer: asyncio.Task[object] | None) -> None:
        self._ending = self._ending or "discarded"
        try:
            await self._reading.stop(closer)
            aclose = getattr(self._iterator, "aclose", None)
            if aclose is not None:
                await logged(aclose)
        finally:
            try:
                await logged(self._close)
            finally:
                self._close = _nothing  # often a method of what holds this stream: no cycle is left
                while self._callbacks:
                    _notify(self._callbacks.pop(0), self._ending)


Reply: TypeAlias = Answer | EventStream


async def each(events: Iterable[Event]) -> AsyncIterator[Event]:
    """Events that are all there already, one after the other."""
    for event in events:
        yield event


async def logged(close: Callable[[], Awaitable[None]]) -> None:
    """Await one close. A failure to close is logged and must not keep the next one from running.

    A cancellation that nobody asked for is such a failure: the close awaited a task that it had cancelled itself.
    """
    try:
        await close()
    except (Exception, asyncio.CancelledError) as exc:
        if not own_failure(exc):
            raise
        log.exception("closing a stream failed")


def _notify(callback: OnClose, ending: Ending) -> None:
    try:
        callback(ending)
    except Exception:  # one that fails must not keep the others from hearing of the end
        log.exception("a callback on a stream's end failed")
