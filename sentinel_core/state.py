"""Short-lived facts that requests share: counters, limits, leases, money reserved, events.

One Protocol, several stores: `memory` for one process, others for a fleet. Every key holds the tenant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec


class StoreConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that every store's table has: `kind` names the plugin."""

    kind: str = "memory"


class Window(msgspec.Struct, frozen=True, tag=True):
    """At most `limit` units in any `period_s` seconds, exactly (a sliding log). `cost` units are asked for."""

    key: str
    limit: int
    period_s: float
    cost: int = 1


class Lease(msgspec.Struct, frozen=True, tag=True):
    """At most `limit` holders at a time. A lease that nobody settles ends after `ttl_s` seconds."""

    key: str
    limit: int
    ttl_s: float


class Budget(msgspec.Struct, frozen=True, tag=True):
    """At most `limit_nanousd` committed and reserved; `reserve_nanousd` is asked for.

    `period` is part of what is counted: another period starts at zero. A reservation that nobody settles ends after
    `ttl_s` seconds.
    """

    key: str
    limit_nanousd: int
    reserve_nanousd: int
    period: str
    ttl_s: float


Claim: TypeAlias = Window | Lease | Budget


class ClaimState(msgspec.Struct, frozen=True):
    """One claim after the step. `remaining` is what another request could still get, in the claim's unit.

    `reset_s` is how long until the claim is empty again, `retry_after_s` how long until this request could pass
    (None: waiting alone does not help).
    """

    key: str
    remaining: int
    reset_s: float
    admitted: bool
    retry_after_s: float | None = None


class Admission(msgspec.Struct, frozen=True):
    """The answer of `admit`: admitted only if every claim was, and then all were taken together."""

    admitted: bool
    claims: tuple[ClaimState, ...]


class Settlement(msgspec.Struct, frozen=True):
    """What a reservation really used. `units` replaces the cost of windows by key, `nanousd` that of budgets."""

    units: tuple[tuple[str, int], ...] = ()
    nanousd: int = 0


class Message(msgspec.Struct, frozen=True):
    """One published message."""

    channel: str
    data: bytes


@runtime_checkable
class StateStore(Protocol):
    """Small atomic operations. Times are seconds. Every method may raise `Refusal("state_unavailable")`."""

    kind: ClassVar[str]
    Config: ClassVar[type[StoreConfig]]
    shared: ClassVar[bool]
    """True if several processes see the same state."""

    @classmethod
    def open(cls, config: Any) -> AbstractAsyncContextManager[StateStore]:  # Any: the store's own Config
        """The store, connected; closed with the context."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The value, or None if it is absent or expired."""
        ...

    async def set(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Store a value for `ttl_s` seconds."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value; no error if it is absent."""
        ...

    async def increment(self, key: str, by: int = 1, *, ttl_s: float) -> int:
        """Add to a counter and return its value. The time to live starts with the counter."""
        ...

    async def admit(self, reservation: str, claims: Sequence[Claim]) -> Admission:
        """Take every claim or none, in one atomic step. A denied step changes nothing.

        A reservation id that was settled before it was admitted is denied: its request is gone.
        """
        ...

    async def settle(self, reservation: str, settlement: Settlement) -> Literal["settled", "unknown"]:
        """End a reservation with what it really used, once. Settling an unknown id marks it as gone."""
        ...

    async def publish(self, channel: str, data: bytes) -> None:
        """Hand a message to every present subscriber."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Messages published after the context was entered. A subscriber that is too slow is dropped: its iterator
        ends."""
        ...

    async def ping(self) -> float:
        """How long one round trip takes, in seconds."""
        ...
