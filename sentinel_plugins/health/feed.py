"""`WS /ws/system-events`: one subscriber's connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec

from sentinel_core.endpoints import SocketConnection
from sentinel_core.gateway import Gateway
from sentinel_core.services import Clock
from sentinel_core.state import Message
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.events import CHANNEL, event, opened
from sentinel_plugins.health.incidents import KeptIncident
from sentinel_plugins.recording.moment import iso
from sentinel_plugins.recording.reach import reach

log = logging.getLogger("sentinel.health")

_incident = msgspec.json.Decoder(KeptIncident).decode


class Slow(Exception):
    """The subscriber did not read one message in time."""


class Feed:
    """Hands system events to one subscriber until it leaves, is too slow, or the gateway closes."""

    def __init__(self, connection: SocketConnection, clock: Clock, config: HealthConfig) -> None:
        self._connection = connection
        self._clock = clock
        self._heartbeat_s = config.heartbeat_s
        self._send_timeout_s = config.send_timeout_s
        self._sending = asyncio.Lock()

    async def run(self, messages: AsyncIterator[Message]) -> None:
        """Send what comes. Returns when it is over, whatever the reason; nothing of it goes on."""
        tasks = [asyncio.create_task(work) for work in (self._forward(messages), self._beat(), self._listen())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in ended:
            if isinstance(error := task.exception(), Slow):
                log.warning("a subscriber of system events was dropped: it does not read")
            elif error is not None:
                raise error

    async def _forward(self, messages: AsyncIterator[Message]) -> None:
        await self._send(event("system", {"status": "connected", "timestamp": iso(self._clock.time())}))
        async for message in messages:
            await self._send(await self._shown(message.data))
        await self._send(event("system", {"status": "closing", "timestamp": iso(self._clock.time())}))

    async def _shown(self, data: bytes) -> bytes:
        """An event as it is for this subscriber, whom a key may have been given or taken since the last one."""
        kind, payload = opened(data)
        if kind != "incident":
            return data
        visible = reach(await self._connection.principal())
        return event("incident", _incident(payload).shown(visible))

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(self._heartbeat_s)
            await self._send(event("heartbeat", {"timestamp": iso(self._clock.time())}))

    async def _listen(self) -> None:
        """Until the subscriber leaves. What it says is not ours to hear."""
        async for _ in self._connection.messages():
            pass

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    await self._connection.send(data.decode())
            except TimeoutError:
                raise Slow from None


async def serve(gateway: Gateway, config: HealthConfig, connection: SocketConnection) -> None:
    """One connection, from its acceptance to its end."""
    services = gateway.services
    async with services.state.subscribe(CHANNEL) as messages:
        await Feed(connection, services.clock, config).run(messages)
