"""Reading on after a read that was cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event

Next = Callable[[], Awaitable[Event]]


class CutOff(UpstreamError):
    """What was read from has ended with a cancelled read. That was its reader's doing: no attempt has failed by it."""

    def __init__(self) -> None:
        super().__init__("upstream_stream_interrupted", "The answer cannot be read on: a read of it was cancelled.")


class Resumed:
    """The reads after one that was cancelled. A generator ends with that one, and its end must not pass for the
    reply's: until an event has come, an end is a `CutOff`."""

    __slots__ = ("_goes_on", "_next")

    def __init__(self, next_: Next) -> None:
        self._next = next_
        self._goes_on = False

    async def read(self) -> Event:
        """The next event."""
        try:
            event = await self._next()
        except StopAsyncIteration:
            if self._goes_on:
                raise
            raise CutOff from None
        self._goes_on = True
        return event

    def again(self) -> Next:
        """One more read was cancelled."""
        self._goes_on = False
        return self.read


def resumed(next_: Next) -> Next:
    """How to read on, after this way to read was cancelled."""
    before = getattr(next_, "__self__", None)
    return before.again() if isinstance(before, Resumed) else Resumed(next_).read
