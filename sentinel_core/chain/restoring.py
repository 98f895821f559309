"""Restoration: the caller's own values back in the reply, outside of every output guard, last registered first."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence

from sentinel_core.chain.transcript import Transcript
from sentinel_core.context import Restoration
from sentinel_core.events import TEXTS, Event, TextEvent, ends_texts
from sentinel_core.messages import Answer


def restored(answer: Answer, restorations: Sequence[Restoration]) -> Answer:
    """A whole answer with the caller's own values."""
    for restoration in reversed(restorations):
        answer = restoration.answer(answer)
    return answer


class RestoredStream:
    """Iterates guarded events with the caller's own values; `guarded` keeps them as they were before."""

    __slots__ = ("_guarded", "_next", "_pending", "_restorations")

    def __init__(
        self, events: AsyncIterator[Event], restorations: Sequence[Restoration], guarded: Transcript | None
    ) -> None:
        self._next = events.__anext__
        self._restorations = restorations
        self._guarded = guarded
        self._pending: deque[Event] = deque()

    def __aiter__(self) -> RestoredStream:
        return self

    async def __anext__(self) -> Event:
        while not self._pending:
            try:
                event = await self._next()
            except StopAsyncIteration:
                if not self._release(None):
                    raise
                break
            if self._guarded is not None:
                self._guarded.add(event)
            self._restore(event)
        return self._pending.popleft()

    def _restore(self, event: Event) -> None:
        """Queue the event with the caller's own values; the rest of a text goes ahead of its end."""
        if isinstance(event, TEXTS):
            self._through(event, list(reversed(self._restorations)))
            return
        if ends_texts(event):
            self._release(event.choice)
        self._pending.append(event)

    def _through(self, event: TextEvent, restorations: Sequence[Restoration]) -> None:
        current: TextEvent | None = event
        for restoration in restorations:
            current = restoration.event(current) if current is not None else None
        if current is not None:
            self._pending.append(current)

    def _release(self, choice: int | None) -> bool:
        """Queue what the restorations still hold, each through those outside of it; whether there was any."""
        order = list(reversed(self._restorations))
        for index, restoration in enumerate(order):
            for event in restoration.rest(choice):
                self._through(event, order[index + 1 :])
        return bool(self._pending)
