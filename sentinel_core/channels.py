"""Publish and subscribe within a process: what every state store does with the messages that reach it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sentinel_core.state import Message


class Subscription:
    """What one subscriber has not read yet. Iterate it from one task at a time.

    It ends after what was queued, once it was too slow or the store was closed.
    """

    __slots__ = ("_arrived", "_bound", "_ended", "_messages")

    def __init__(self, bound: int) -> None:
        self._messages: deque[Message] = deque()
        self._bound = bound
        self._arrived = asyncio.Event()
        self._ended = False

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Message:
        while not self._messages:
            if self._ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()

    def put(self, message: Message) -> bool:
        """Queue a message; False if the subscriber is too slow, which ends the subscription."""
        if len(self._messages) >= self._bound:
            self.end()
            return False
        self._messages.append(message)
        self._arrived.set()
        return True

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._arrived.set()


class Channels:
    """Present subscriptions by channel. A channel without subscribers takes no room."""

    __slots__ = ("_bound", "_channels")

    def __init__(self, bound: int) -> None:
        self._channels: dict[str, set[Subscription]] = {}
        self._bound = bound

    def __len__(self) -> int:
        return len(self._channels)

    def publish(self, message: Message) -> None:
        """Queue a message for every present subscriber; drop those that are too slow. Never waits."""
        for subscription in tuple(self._channels.get(message.channel, ())):
            if not subscription.put(message):
                self._leave(message.channel, subscription)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        """A subscription from here on."""
        subscription = Subscription(self._bound)
        self._channels.setdefault(channel, set()).add(subscription)
        try:
            yield subscription
        finally:
            subscription.end()
            self._leave(channel, subscription)

    def close(self) -> None:
        """End every subscription."""
        for subscriptions in self._channels.values():
            for subscription in subscriptions:
                subscription.end()
        self._channels.clear()

    def _leave(self, channel: str, subscription: Subscription) -> None:
        present = self._channels.get(channel)
        if present is not None:
            present.discard(subscription)
            if not present:
                del self._channels[channel]
