"""A stream from the first end of a choice on: no text of a choice comes behind its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from sentinel_core.chain.resumed import resumed
from sentinel_core.errors import UpstreamError
from sentinel_core.events import TEXTS, Event, Finish, Frame, Opaque


class HeldEnds:
    """Holds ends until the stream's own, and hands on what else comes in its order.

    Gemini has said with every chunk that the answer ends, and so do servers that pass its streams on. To a guard
    what came behind an end would be another text, and a value across it none. The strings beside a text leave with it:
    the name of a call stands with them.
    """

    __slots__ = ("_frame", "_held", "_next", "_over", "_ready")

    def __init__(self, first: Finish, next_: Callable[[], Awaitable[Event]]) -> None:
        """`first` is an end that came, `next_` gives what comes behind it."""
        self._next = next_
        self._held: list[Event] = [first]
        self._ready: deque[Event] = deque()
        self._over: list[Exception] = []
        self._frame: Frame | None = None

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._ready:
            if self._over:
                raise self._over.pop()  # no cycle with what it was raised in is left
            try:
                self._take(await self._next())
            except asyncio.CancelledError:
                self._next = resumed(self._next)
                raise
            except (StopAsyncIteration, UpstreamError) as error:  # raised once what came before it is gone
                self._over.append(error)
                self._ready += self._held
                self._held = []
        return self._ready.popleft()

    def _take(self, event: Event) -> None:
        if isinstance(event, TEXTS) or self._stands_beside(event):
            self._frame = event.frame
            self._ready += [held for held in self._held if not isinstance(held, Finish)]
            self._ready.append(event)
            self._held = [held for held in self._held if isinstance(held, Finish)]
            return
        if isinstance(event, Finish):  # of several ends of a choice the last one counts
            self._held = [held for held in self._held if not _ends(held, event.choice)]
        self._held.append(event)

    def _stands_beside(self, event: Event) -> bool:
        """Whether this is of the chunk of the text that left last."""
        return isinstance(event, Opaque) and event.frame is not None and event.frame is self._frame


def _ends(event: Event, choice: int) -> bool:
    return isinstance(event, Finish) and event.choice == choice
