"""The connection on which this process hears what any process publishes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from sentinel_core.channels import Channels
from sentinel_core.state import Message
from sentinel_plugins.redis.address import connected
from sentinel_plugins.redis.faults import unavailable
from sentinel_plugins.redis.tasks import Tasks
from sentinel_plugins.redis.topology import Topology
from sentinel_plugins.state.redis.config import RedisStateConfig
from sentinel_plugins.state.redis.keys import Keys

log = logging.getLogger("sentinel.state")

QUIET_S = 5.0
"""After so much silence the server is asked whether it is there."""
SOON_S, RETRY_S = 0.1, 1.0
"""When a connection that broke, and one that could not be opened, is tried again."""


class Subscriber:
    """One connection for all subscriptions of a process, open while there are some, and opened anew when it breaks.

    Messages that are published while it is broken are lost; subscribers stay.
    """

    def __init__(self, topology: Topology, config: RedisStateConfig, keys: Keys, tasks: Tasks) -> None:
        self._topology = topology
        self._timeout_s = config.timeout_s
        self._keys = keys
        self._tasks = tasks
        self._channels = Channels(config.subscriber_messages)
        self._wanted: dict[bytes, _Channel] = {}
        self._connection: AbstractConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        """Messages from here on: entered when the server has confirmed, `Refusal` if it does not in time."""
        async with self._channels.subscribe(channel) as messages, self._heard(channel):
            yield messages

    def close(self) -> None:
        """End every subscription."""
        self._channels.close()

    @asynccontextmanager
    async def _heard(self, channel: str) -> AsyncIterator[None]:
        name = self._keys.channel(channel)
        wanted = self._wanted.setdefault(name, _Channel(channel))
        wanted.subscribers += 1
        try:
            if wanted.subscribers == 1:
                await self._say("SUBSCRIBE", name)
            await self._confirmed(wanted)
            yield
        finally:
            wanted.subscribers -= 1
            if not wanted.subscribers:
                del self._wanted[name]
                await self._say("UNSUBSCRIBE", name)

    async def _confirmed(self, wanted: _Channel) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await wanted.confirmed.wait()
        except TimeoutError:
            raise unavailable() from None

    async def _say(self, command: str, *names: bytes) -> None:
        """Tell the server, over the present connection; a new one says by itself what is wanted."""
        if self._wanted and (self._listening is None or self._listening.done()):
            self._listening = self._tasks.start(self._listen())
        elif self._connection is not None:
            with suppress(RedisError, OSError):  # the listener notices as well, and begins anew
                await self._connection.send_command(command, *names, check_health=False)

    async def _listen(self) -> None:
        """Until nobody is subscribed."""
        told = False
        while self._wanted:
            connection = self._topology.door.connection(self._topology.reachable())
            try:
                await self._hear(connection)
            except (RedisError, OSError) as error:
                heard = any(wanted.confirmed.is_set() for wanted in self._wanted.values())
                if heard or not told:
                    log.warning("subscriptions are interrupted: %s", str(error) or "no connection in time")
                told = True
                await self._leave(connection)
                await asyncio.sleep(SOON_S if heard else RETRY_S)
            finally:
                await self._leave(connection)

    async def _leave(self, connection: AbstractConnection) -> None:
        self._connection = None
        for wanted in self._wanted.values():
            wanted.confirmed.clear()
        with suppress(RedisError):  # the server takes nothing any more, not even a farewell
            await connection.disconnect()

    async def _hear(self, connection: AbstractConnection) -> None:
        await connected(connection, self._timeout_s)
        self._connection = connection
        await connection.send_command("SUBSCRIBE", *self._wanted, check_health=False)
        asked = False
        while self._wanted:
            reply = await connection.read_response(disable_decoding=True, timeout=QUIET_S)
            if reply is not None:
                asked = False
                self._take(reply)
            elif asked:
                raise TimeoutError(f"no word for {2 * QUIET_S:g} s")
            else:
                asked = True
                await connection.send_command("PING", check_health=False)

    def _take(self, reply: list[Any]) -> None:  # Any: texts and numbers, as the server sends them
        kind, name, data = reply[0], reply[1], reply[-1]
        wanted = self._wanted.get(name)
        if wanted is None:
            return
        if kind == b"message":
            self._channels.publish(Message(wanted.channel, data))
        elif kind == b"subscribe":
            wanted.confirmed.set()


class _Channel:
    """A channel that somebody listens to."""

    __slots__ = ("channel", "confirmed", "subscribers")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.subscribers = 0
        self.confirmed = asyncio.Event()
