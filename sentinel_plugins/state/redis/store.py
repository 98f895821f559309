"""`RedisState`: the state store that a fleet shares."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, Literal, Self

from redis.exceptions import ResponseError

from sentinel_core.counts import Counts, Outages
from sentinel_core.state import Admission, Claim, Message, Settlement, StoreConfig, check_step
from sentinel_core.state_key import tenant_part
from sentinel_plugins.redis.command import packed
from sentinel_plugins.redis.faults import unavailable
from sentinel_plugins.redis.scripts import Script
from sentinel_plugins.redis.tasks import Tasks
from sentinel_plugins.redis.topology import Topology
from sentinel_plugins.redis.wire import Reply
from sentinel_plugins.state.redis.config import RedisStateConfig
from sentinel_plugins.state.redis.keys import Keys, encoded
from sentinel_plugins.state.redis.scripts import SERVER_TIME, Scripts, source
from sentinel_plugins.state.redis.steps import packed_claims, packed_use, unpacked
from sentinel_plugins.state.redis.subscriber import Subscriber

log = logging.getLogger("sentinel.state")

GONE_S = 900
"""How long an id stays marked as gone: longer than any request that could still be on its way to be admitted."""


class RedisState:
    """State in one Redis, Valkey or Cluster: exact for all who share it, gone with it.

    Each operation is one round trip; `admit` and `settle` are one atomic step on the server, by its clock. Whatever
    fails or takes longer than `timeout_s` is `Refusal("state_unavailable")`, at once while the breaker is open; what
    such a step would have taken may have been taken, and ends with its time to live or when it is settled.
    """

    kind: ClassVar[str] = "redis"
    Config: ClassVar[type[StoreConfig]] = RedisStateConfig
    shared: ClassVar[bool] = True

    def __init__(self, config: RedisStateConfig, *, clock: str | None = None) -> None:
        """`clock` is Lua that defines `server_time()`; tests bring one that they move."""
        self._tasks = Tasks()
        self.counts = Counts()
        self._topology = Topology(config, self._tasks, Outages(self.counts, "state"))
        self._scripts = Scripts(self._topology, clock or source(SERVER_TIME))
        self._keys = Keys(config.prefix)
        self._subscriber = Subscriber(self._topology, config, self._keys, self._tasks)
        self._max_value_bytes = config.max_value_bytes
        self._repaired = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RedisStateConfig) -> AsyncIterator[Self]:
        """The store, whether the server answers or not: one that is down is found again when it is back (R01)."""
        store = cls(config)
        try:
            await store._topology.open()
            yield store
        finally:
            await store.close()

    async def close(self) -> None:
        """End every connection and subscription."""
        self._subscriber.close()
        self._topology.close()
        await self._tasks.close()

    @property
    def available(self) -> bool:
        """False while the breaker of a server is open."""
        return self._topology.available

    async def get(self, key: str) -> bytes | None:
        """The value, or None if it is absent, expired, or nothing that we wrote."""
        value: bytes | None = await self._run(self._scripts.get, key, [self._keys.value(key)], self._max_value_bytes)
        return value

    async def set(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Store a value for `ttl_s` seconds. ValueError above `max_value_bytes`."""
        if len(value) > self._max_value_bytes:
            raise ValueError(f"{len(value)} bytes for {key!r} are more than max_value_bytes")
        name = self._keys.value(key)
        _checked(await self._topology.call(name, packed("SET", name, value, "PX", _milliseconds(ttl_s))))

    async def delete(self, key: str) -> None:
        """Forget a value; no error if it is absent."""
        name = self._keys.value(key)
        _checked(await self._topology.call(name, packed("UNLINK", name)))

    async def increment(self, key: str, by: int = 1, *, ttl_s: float) -> int:
        """Add to a counter and return its value. The time to live starts with the counter; what is no counter is
        begun anew."""
        names = [self._keys.value(key)]
        value: int = await self._run(self._scripts.increment, key, names, by, _milliseconds(ttl_s))
        return value

    async def admit(self, reservation: str, claims: Sequence[Claim]) -> Admission:
        """Take every claim or none. A denied step writes nothing, except that it may remove what has ended.

        Denied as well: an id that is open already, or marked as gone. ValueError as `check_step` says, and in a
        Cluster where the names are not `state_key`'s.
        """
        check_step(reservation, claims)
        self._check_tenant(reservation)
        names = self._keys.reservation(reservation)
        for claim in claims:
            names += self._keys.claim(claim)
        span_us = math.ceil(max([claim.span_s for claim in claims], default=0) * 1e6)
        packed = packed_claims(claims)
        reply = _checked(await self._scripts.run(self._scripts.admit, names, encoded(reservation), span_us, packed))
        admission, repaired = unpacked(reply, claims)
        self._note(repaired, reservation)
        return admission

    async def settle(self, reservation: str, settlement: Settlement) -> Literal["settled", "unknown"]:
        """End a reservation with what it really used, once. An unknown id is marked as gone for 15 minutes."""
        self._check_tenant(reservation)
        names = self._keys.reservation(reservation)
        arguments = (GONE_S * 1_000_000, packed_use(settlement))
        return "settled" if await self._run(self._scripts.settle, reservation, names, *arguments) else "unknown"

    async def publish(self, channel: str, data: bytes) -> None:
        """Hand a message to every present subscriber, in all processes."""
        _checked(await self._topology.anywhere(packed("PUBLISH", self._keys.channel(channel), data)))

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Messages published after the context was entered. What is published while the connection is broken is lost;
        a subscriber that is too slow is dropped: its iterator ends."""
        return self._subscriber.subscribe(channel)

    async def ping(self) -> float:
        """How long one round trip takes, in seconds; in a Cluster, to the slowest node."""
        return await self._topology.ping()

    async def _run(
        self, script: Script, what: str, names: Sequence[bytes], *arguments: bytes | int
    ) -> Any:  # as the script answers
        """The answer of a script that says `{answer, repaired}`."""
        answer, repaired = _checked(await self._scripts.run(script, names, *arguments))
        self._note(repaired, what)
        return answer

    def _note(self, repaired: int, what: str) -> None:
        if repaired:
            self._repaired += repaired
            log.warning("state of %r was damaged and begins anew (%d such entries so far)", what, self._repaired)

    def _check_tenant(self, reservation: str) -> None:
        if self._topology.clustered and not tenant_part(reservation):
            raise ValueError(f"{reservation!r} names no tenant: in a Cluster, `state_key` must make the names")


def _checked(reply: Reply) -> Any:  # what a command answers is as its caller knows it
    """The reply, unless it is an error that says nothing about the server as a whole: this call is refused."""
    if isinstance(reply, ResponseError):
        log.error("Redis refused a command: %s", reply)
        raise unavailable() from reply
    return reply


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
