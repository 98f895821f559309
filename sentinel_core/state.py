"""Short-lived facts that requests share: counters, limits, leases, money reserved, events.

One Protocol, several stores: `memory` for one process, others for a fleet. `state_key` makes the keys: every key, and
every reservation's id, holds the tenant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from sentinel_core.claims import (
    Admission,
    Algorithm,
    Budget,
    Claim,
    ClaimState,
    Lease,
    Settlement,
    Window,
    check_step,
)
from sentinel_core.state_key import state_key

__all__ = [
    "Admission",
    "Algorithm",
    "Budget",
    "Claim",
    "ClaimState",
    "Lease",
    "Message",
    "Settlement",
    "StateStore",
    "StoreConfig",
    "Window",
    "check_step",
    "state_key",
]


class StoreConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that every store's table has.

    `kind` names the plugin. `approximate` accepts a store that several workers or replicas do not share: each counts
    limits, or keeps rows, on its own. Where they share it, it says nothing.
    """

    kind: str = "memory"
    approximate: bool = False


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

    @property
    def available(self) -> bool:
        """False while the store is known not to answer: then every method refuses at once. Asks nobody."""
        ...

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

        A reservation id that was settled before it was admitted is denied: its request is gone. ValueError for a step
        that no store can take (`check_step`).
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
