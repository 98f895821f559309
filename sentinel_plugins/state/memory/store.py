"""`MemoryState`: the state store of one process."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, ClassVar, Literal, Self

import msgspec

from sentinel_core.channels import Channels
from sentinel_core.errors import Refusal
from sentinel_core.state import (
    Admission,
    Algorithm,
    Budget,
    Claim,
    ClaimState,
    Lease,
    Message,
    Settlement,
    StoreConfig,
    Window,
    check_step,
)
from sentinel_plugins.state.memory.budgets import Budgets
from sentinel_plugins.state.memory.claims import Part
from sentinel_plugins.state.memory.clock import SteadyClock
from sentinel_plugins.state.memory.config import MemoryStateConfig
from sentinel_plugins.state.memory.gcra import Bucket, GcraPart
from sentinel_plugins.state.memory.leases import Leases
from sentinel_plugins.state.memory.overflow import Overflow
from sentinel_plugins.state.memory.recent import Recent
from sentinel_plugins.state.memory.reservations import Reservations
from sentinel_plugins.state.memory.sliding_window import Counters, SlidingPart
from sentinel_plugins.state.memory.values import Values
from sentinel_plugins.state.memory.windows import Windows


class MemoryState:
    """State in one process's memory. Every operation is one step of the event loop and never waits.

    For one loop, not for threads. `now` gives seconds; it may jump back, the store's time does not. What has ended
    leaves memory on the way of later operations; nothing runs in the background. Costs: O(log n) amortised per
    claim; a denial also walks what must end before the request fits: for a window its entries, at most one per unit.
    """

    kind: ClassVar[str] = "memory"
    Config: ClassVar[type[StoreConfig]] = MemoryStateConfig
    shared: ClassVar[bool] = False

    def __init__(self, config: MemoryStateConfig | None = None, *, now: Callable[[], float] = time.monotonic) -> None:
        config = config or MemoryStateConfig()
        overflow = Overflow(config.max_entries)
        self._clock = SteadyClock(now)
        self._values = Values(config.max_entries, overflow)
        self._windows = Windows(config.max_entries, overflow)
        self._buckets: Recent[Bucket] = Recent(config.max_entries, overflow)
        self._counters: Recent[Counters] = Recent(config.max_entries, overflow)
        self._leases = Leases()
        self._budgets = Budgets(config.max_entries, overflow)
        self._reservations = Reservations(config.max_entries, overflow)
        self._ask: Mapping[type[Claim] | Algorithm, Callable[[Any, float], Part]] = {  # Any: a claim of that type
            "exact": self._windows.ask,
            "gcra": partial(GcraPart, self._buckets),
            "sliding_window": partial(SlidingPart, self._counters),
            Lease: self._leases.ask,
            Budget: self._budgets.ask,
        }
        self._channels = Channels(config.subscriber_messages)

    @property
    def available(self) -> bool:
        """Always."""
        return True

    @classmethod
    @asynccontextmanager
    async def open(cls, config: MemoryStateConfig) -> AsyncIterator[Self]:
        """An empty store; closing it ends its subscriptions."""
        store = cls(config)
        try:
            yield store
        finally:
            store._channels.close()

    async def get(self, key: str) -> bytes | None:
        """The value, or None if it is absent or expired."""
        return self._values.get(key, self._clock.now())

    async def set(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Store a value for `ttl_s` seconds."""
        self._values.set(key, value, self._clock.now(), ttl_s)

    async def delete(self, key: str) -> None:
        """Forget a value; no error if it is absent."""
        self._values.delete(key)

    async def increment(self, key: str, by: int = 1, *, ttl_s: float) -> int:
        """Add to a counter and return its value. The time to live starts with the counter."""
        return self._values.increment(key, by, self._clock.now(), ttl_s)

    async def admit(self, reservation: str, claims: Sequence[Claim]) -> Admission:
        """Take every claim or none. A denied step changes nothing and makes no state for unknown keys.

        Denied as well: an id that is open already, or marked as gone. ValueError as `check_step` says. `Refusal`
        (state_unavailable) where no reservation can be kept.
        """
        check_step(reservation, claims)
        now, reservations = self._clock.now(), self._reservations
        is_free = reservations.free(reservation, now)
        ask = self._ask
        parts: list[Part] = []
        fit = True
        for claim in claims:
            part = ask[claim.algorithm if type(claim) is Window else type(claim)](claim, now)
            parts.append(part)
            if not part.fits:
                fit = False
        if not is_free:
            return Admission(False, tuple([_gone(part.state(now, True)) for part in parts]))
        if not fit:
            return Admission(False, tuple([part.state(now, part.fits) for part in parts]))
        if reservations.full():
            raise Refusal("state_unavailable")
        states: list[ClaimState] = []
        first_end = math.inf
        for part in parts:
            states.append(part.take(reservation, now))
            if part.ends < first_end:
                first_end = part.ends
        reservations.open(reservation, parts, first_end)
        self._windows.trim(now)
        return Admission(True, tuple(states))

    async def settle(self, reservation: str, settlement: Settlement) -> Literal["settled", "unknown"]:
        """End a reservation with what it really used, once. An unknown id is marked as gone for 15 minutes."""
        now = self._clock.now()
        if self._reservations.settle(reservation, settlement, now):
            return "settled"
        self._reservations.mark_gone(reservation, now)
        return "unknown"

    async def publish(self, channel: str, data: bytes) -> None:
        """Hand a message to every present subscriber."""
        self._channels.publish(Message(channel, data))

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Messages published after the context was entered; see `Subscription` for its end."""
        return self._channels.subscribe(channel)

    async def ping(self) -> float:
        """Zero: there is no round trip."""
        return 0.0


def _gone(state: ClaimState) -> ClaimState:
    """The claim of a request that must not pass: waiting does not help it."""
    return msgspec.structs.replace(state, admitted=False)
