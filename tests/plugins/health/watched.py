"""A gateway with providers whose health a test decides, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Set
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self

import msgspec

from sentinel_core.config import settings_from
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonMapping, TomlTable, TomlValue
from sentinel_core.keys import CANDIDATES, FAILOVER, Target
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.registry import Registry
from sentinel_core.reply import Reply
from sentinel_core.services import CIRCUITS, Services
from sentinel_core.stage import Stage
from sentinel_core.state import Message
from sentinel_core.testing import FakeClock, completion, fake_services
from sentinel_plugins.health.events import CHANNEL


class ScriptedConfig(ProviderConfig, frozen=True, kw_only=True):
    """`[providers.<name>] kind = "scripted"`."""


class Scripted(Provider):
    """Well until a test says otherwise; `down` holds the models' providers that fail."""

    name: ClassVar[str] = "scripted"
    Config: ClassVar[type[ProviderConfig]] = ScriptedConfig

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        self.health = Health("healthy", 1.5)
        self.error: UpstreamError | None = None
        self.checks = 0

    def fail(self) -> None:
        """Be down from now on."""
        self.health = Health("unhealthy", detail="upstream_unreachable")
        self.error = UpstreamError("upstream_unreachable")

    def mend(self) -> None:
        """Be well again."""
        self.health, self.error = Health("healthy", 1.5), None

    async def call(self, call: Call) -> Reply:
        """Answer, unless it is down."""
        if self.error is not None:
            raise self.error
        return completion(f"hello from {call.target.provider}")

    async def health_check(self) -> Health:
        """What the test says."""
        self.checks += 1
        return self.health


class Fallback(Stage):
    """Tries the candidates in order, as routing does."""

    name: ClassVar[str] = "fallback"

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        """Leave the circuits where a breaker would."""
        services.shared[CIRCUITS] = services.extra.get("circuits", Circuits())
        yield cls(config)

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """The first reply of any candidate."""
        failed: tuple[Target, ...] = ()
        for target in ctx[CANDIDATES][:-1]:
            try:
                reply: Reply = await call_next(call.to(target))
            except UpstreamError:
                failed += (target,)
                ctx[FAILOVER] = failed
            else:
                return reply
        last: Reply = await call_next(call.to(ctx[CANDIDATES][-1]))
        return last


class Circuits:
    """What a breaker would say."""

    def __init__(self) -> None:
        self.found: dict[Target, str] = {}

    def states(self, named: Set[Target]) -> Iterable[tuple[Target, str]]:
        """As the test has set them."""
        return list(self.found.items())


def tables(**health: TomlValue) -> TomlTable:
    """Two providers, `first` before `second`, and one model on both."""
    return {
        "providers": {name: {"kind": "scripted", "default_model": f"{name}-model"} for name in ("first", "second")},
        "models": [{"name": "m", "targets": [{"provider": "first"}, {"provider": "second"}]}],
        "stages": {"health": health, "fallback": {}},
    }


def registry() -> Registry:
    """The plugins of these tests."""
    made = Registry()
    made.register(Scripted)
    made.register(Fallback)
    return made


@asynccontextmanager
async def watched(
    clock: FakeClock | None = None, **health: TomlValue
) -> AsyncIterator[tuple[Gateway, FakeClock, Circuits]]:
    """An open gateway, its clock, and its circuits."""
    clock, circuits = clock or FakeClock(), Circuits()
    async with fake_services(clock, circuits=circuits) as services:
        gateway = Gateway(settings_from(tables(**health)), registry=registry(), services=services)
        async with gateway:
            yield gateway, clock, circuits


def provider(gateway: Gateway, name: str) -> Scripted:
    """One of the scripted providers."""
    found = gateway.providers[name]
    assert isinstance(found, Scripted)
    return found


@asynccontextmanager
async def events(gateway: Gateway) -> AsyncIterator[AsyncIterator[Message]]:
    """What subscribers would hear."""
    async with gateway.state.subscribe(CHANNEL) as messages:
        yield messages


def decoded(message: Message) -> JsonMapping:
    """One event."""
    body: JsonMapping = msgspec.json.decode(message.data)
    assert body.keys() == {"event_type", "payload"}
    return body
