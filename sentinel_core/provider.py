"""What the author of a provider subclasses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from sentinel_core.circuits import Status
from sentinel_core.config.settings import Name
from sentinel_core.context import Call
from sentinel_core.messages import Operation
from sentinel_core.reply import Reply

if TYPE_CHECKING:
    from sentinel_core.services import Services


class ProviderConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that every provider's table has. `kind` names the plugin; it defaults to the table's name.

    `enabled` is the toggle. `models` lists what this provider serves, in the order in which `GET /v1/models` shows it.
    `default_model` answers requests that name no model, such as those of `/api/chat`. `same_as` names the table of the
    provider that this one is another key of: it serves whatever that one serves, and names no models itself.
    """

    kind: str | None = None
    enabled: bool = True
    models: tuple[Name, ...] = ()
    default_model: Name | None = None
    same_as: str | None = None


HEALTH_TIMEOUT_S = 2.0
"""What a health check may take; whoever asks gives up then."""


class Health(msgspec.Struct, frozen=True):
    """What one health check found. `latency_ms` is None where nothing was sent."""

    status: Status
    latency_ms: float | None = None
    detail: str = ""


class Provider:
    """One upstream API. Lives as long as the process; `self` holds configuration and clients only."""

    name: ClassVar[str]
    """What `kind` in `[providers.<table>]` says."""
    Config: ClassVar[type[ProviderConfig]] = ProviderConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat"})
    """What this kind of provider can be asked for."""
    free: ClassVar[bool] = False
    """True if no token costs anything, as on a machine of one's own; a row of the catalogue outweighs it."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the provider's own Config
        """Acquire clients above the yield, release them below."""
        yield cls(config)

    def performs(self) -> frozenset[Operation]:
        """What this provider can be asked for, as it is configured. Requests that can be translated to a chat reach it
        as `chat`, in their own dialect."""
        return self.operations

    def models(self) -> tuple[str, ...]:
        """The models this provider offers without being asked over the network."""
        return self.config.models

    async def call(self, call: Call) -> Reply:
        """Send one call. An `Answer`, or an `EventStream` once its first content-bearing event has arrived.

        Raises `UpstreamError`, or `Refusal` before anything was sent: such a call was none. Earlier frames are held and
        come first. A stream that is broken off raises `UpstreamError` from its iterator; it never just ends. A reply
        says its `dialect`, and is translated where that is not the client's.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement call()")

    async def health_check(self) -> Health:
        """A cheap look at the upstream. Must not raise; must not cost tokens.

        `unknown` says that nothing could be found out: what an earlier look found stands.
        """
        return Health("unknown", detail="this provider has no health check")
