"""One server: its links, and the breaker around every call."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from itertools import chain, repeat
from typing import Protocol

from redis.asyncio.connection import AbstractConnection

from sentinel_plugins.redis.breaker import Breaker
from sentinel_plugins.redis.command import packed
from sentinel_plugins.redis.config import RedisConfig
from sentinel_plugins.redis.faults import is_down, is_full, unavailable
from sentinel_plugins.redis.link import Link, Unanswered
from sentinel_plugins.redis.tasks import Tasks
from sentinel_plugins.redis.wire import Reply

log = logging.getLogger("sentinel.redis")

BUSY = 16
"""So many waiting calls make a link busy. Below that, commands of many requests share one: what leaves together costs
one call of the system, and so does what comes back together."""
PROBES_S = (0.25, 0.5)
LAST_PROBE_S = 1.0
"""When an open breaker is probed, and how often from then on; a random part of it, so that a fleet does not knock as
one. A server that is back is used again within twice the last one."""


class Watch(Protocol):
    """Who wants to know how a server is."""

    def trouble(self) -> None:
        """It does not answer; told again with every probe that fails."""
        ...

    def recovered(self) -> None:
        """It answers again."""
        ...


class Node:
    """Calls to one server. Any may be refused with `state_unavailable`, at once where the breaker is open."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], AbstractConnection],
        config: RedisConfig,
        tasks: Tasks,
        watch: Watch,
    ) -> None:
        self.name = name
        self._connect = connect
        self._config = config
        self._tasks = tasks
        self._watch = watch
        self._breaker = Breaker()
        self._full = False
        self._links: list[Link] = []
        self._probing: asyncio.Task[None] | None = None
        self._probe = packed("SET", f"{config.prefix}probe", "1", "PX", "1000")

    @property
    def available(self) -> bool:
        """Whether calls are tried."""
        return not self._breaker.open

    async def call(self, command: bytes, *, asking: bytes = b"", decisive: bool = False, grows: bool = True) -> Reply:
        """The reply to a packed command. `asking` is sent right before it, on the same connection. A failure of a
        `decisive` call opens the breaker by itself. What does not let the server's memory grow passes a breaker that is
        open because it is full: who deletes makes room."""
        if self._breaker.open and (grows or not self._full):
            raise unavailable()
        try:
            link = self._link()
            if asking:
                link.send(asking).add_done_callback(_heard)
            reply = await link.send(command)
        except Unanswered as error:
            self._failed(str(error), decisive)
            raise unavailable() from error
        if is_down(reply):
            self._failed(str(reply), decisive, full=is_full(reply))
            raise unavailable()
        self._breaker.succeeded()
        return reply

    def close(self) -> None:
        """End its connections for good; whoever waits on them is refused, as everybody who comes later."""
        self._breaker.open = True
        for link in self._links:
            link.close()
        self._links.clear()
        if self._probing is not None:
            self._probing.cancel()

    def _link(self) -> Link:
        """The first link that is not busy; where all are, another one, or the one on which the fewest wait."""
        for link in self._links:
            if not link.retired and len(link) < BUSY:
                return link
        self._links = [link for link in self._links if not link.retired]
        if len(self._links) < self._config.connections:
            self._links.append(self._new_link())
            return self._links[-1]
        return min(self._links, key=len)

    def _new_link(self) -> Link:
        return Link(self._connect(), self._config.timeout_s, self._tasks)

    def _failed(self, reason: str, decisive: bool, *, full: bool = False) -> None:
        if not self._breaker.failed(decisive=decisive):
            return
        self._full = full
        log.warning("%s does not answer (%s): nobody waits for it until it does", self.name, reason)
        for link in self._links:
            link.close()
        self._links.clear()
        self._probing = self._tasks.start(self._probe_until_back())

    async def _probe_until_back(self) -> None:
        for wait_s in chain(PROBES_S, repeat(LAST_PROBE_S)):
            self._watch.trouble()
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret
            if await self._answers():
                break
        self._breaker.close()
        log.warning("%s answers again", self.name)
        self._watch.recovered()

    async def _answers(self) -> bool:
        """Whether it can be written to over a new connection, which is kept if so: a name may lead elsewhere now."""
        link = self._new_link()
        try:
            reply = await link.send(self._probe)
        except Unanswered:
            self._full = False
            return False
        if is_down(reply):
            self._full = is_full(reply)
            link.close()
            return False
        self._links.append(link)
        return True


def _heard(reply: asyncio.Future[Reply]) -> None:
    """Nobody waits for this one: what follows it on the connection fails as it does."""
    if not reply.cancelled():
        reply.exception()
