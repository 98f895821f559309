"""`GET /health`, `/health/live` and `/health/ready`: what probes and people ask.

The two probes ask nobody. `/health` asks the state store, and each provider at most once in 15 seconds however often
somebody looks: the `openai` provider then lists its models, which costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Set
from typing import Literal, TypeAlias

import msgspec

from sentinel_core.circuits import CircuitState, Status, judged, worst
from sentinel_core.endpoints import NO_STORE, Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.circuits import states_by_provider
from sentinel_core.provider import Health
from sentinel_server.access_log import timestamp
from sentinel_server.distribution import package_version

log = logging.getLogger("sentinel.server")

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpReply]]

PING_TIMEOUT_S = 1.0

Whole: TypeAlias = Literal["healthy", "degraded", "unhealthy"]
"""How the gateway is with all that it depends on."""


class RedisCheck(msgspec.Struct, frozen=True):
    """The shared state store: `connected`, `disconnected`, or `disabled` where none is configured."""

    status: Literal["connected", "disconnected", "disabled"]
    latency_ms: float | None = None


class Checks(msgspec.Struct, frozen=True):
    """What the status was made of. `circuit_breakers` has each provider that was called through a breaker, with the
    worst state of its circuits: which models those are, callers may have chosen."""

    redis: RedisCheck
    circuit_breakers: dict[str, CircuitState]
    providers: dict[str, Health]


class Stats(msgspec.Struct, frozen=True):
    """Numbers of this process."""

    uptime_seconds: float
    in_flight: int


class HealthReport(msgspec.Struct, frozen=True):
    """The body of `GET /health`. Times are seconds, `timestamp` is ISO 8601 in UTC."""

    status: Whole
    version: str
    uptime_seconds: float
    timestamp: str
    cache: Literal["connected", "disconnected"]
    checks: Checks
    stats: Stats


class Probe(msgspec.Struct, frozen=True):
    """The body of the two probes. `degraded`: requests are taken, and a store is known not to do its work."""

    status: Literal["live", "ready", "degraded", "draining", "not_started"]


def endpoints(gateway: Gateway) -> tuple[Endpoint, ...]:
    """The three routes. They are public and served while the gateway is closed or drains."""

    async def health(_: HttpRequest) -> HttpReply:
        body = await report(gateway)
        return HttpReply(body, status=503 if body.status == "unhealthy" else 200, headers=NO_STORE)

    async def live(_: HttpRequest) -> HttpReply:
        return HttpReply(Probe("live"), headers=NO_STORE)

    async def ready(_: HttpRequest) -> HttpReply:
        if gateway.draining:
            return HttpReply(Probe("draining"), status=503, headers=NO_STORE)
        if not gateway.started:
            return HttpReply(Probe("not_started"), status=503, headers=NO_STORE)
        whole = gateway.state.available and gateway.records.available
        return HttpReply(Probe("ready" if whole else "degraded"), headers=NO_STORE)

    return (
        _declare("/health", health, HealthReport, "How this gateway and what it depends on are doing"),
        _declare("/health/live", live, Probe, "200 as long as the process answers at all"),
        _declare("/health/ready", ready, Probe, "200 while new requests are taken, else 503"),
    )


async def report(gateway: Gateway) -> HealthReport:
    """The state of things. Unhealthy: no request is taken, or none could succeed because every provider is."""
    started = gateway.started
    ping_s = await _ping(gateway) if started else None
    providers = dict(await gateway.health()) if started else {}
    circuits = states_by_provider(gateway)
    uptime_s = round(gateway.uptime_s, 3)
    return HealthReport(
        status=_status(
            taking=started and not gateway.draining,
            stores=ping_s is not None and gateway.records.available,
            providers=[judged(found.status, circuits.get(name, frozenset())) for name, found in providers.items()],
        ),
        version=package_version(),
        uptime_seconds=uptime_s,
        timestamp=timestamp(time.time()),
        cache="disconnected" if ping_s is None else "connected",
        checks=Checks(redis=_redis(gateway, ping_s), circuit_breakers=_worst(circuits), providers=providers),
        stats=Stats(uptime_seconds=uptime_s, in_flight=gateway.in_flight),
    )


def _status(*, taking: bool, stores: bool, providers: Collection[Status]) -> Whole:
    if not taking or set(providers) == {"unhealthy"}:
        return "unhealthy"
    return "healthy" if stores and {"degraded", "unhealthy"}.isdisjoint(providers) else "degraded"


def _declare(path: str, handler: Handler, response: type, summary: str) -> Endpoint:
    return Endpoint("GET", path, handler, "public", response=response, summary=summary, tags=("health",))


async def _ping(gateway: Gateway) -> float | None:
    """How long the state store takes to answer, in seconds; None if it does not."""
    try:
        return await asyncio.wait_for(gateway.state.ping(), PING_TIMEOUT_S)
    except Refusal:  # the store says in its log what is the matter, once
        return None
    except Exception:  # a third party's store may fail with anything; a probe must answer
        log.warning("the state store does not answer", exc_info=True)
        return None


def _worst(circuits: Mapping[str, Set[CircuitState]]) -> dict[str, CircuitState]:
    return {provider: found for provider, states in circuits.items() if (found := worst(states)) is not None}


def _redis(gateway: Gateway, ping_s: float | None) -> RedisCheck:
    if not gateway.started or gateway.state.kind != "redis":
        return RedisCheck("disabled")
    if ping_s is None:
        return RedisCheck("disconnected")
    return RedisCheck("connected", round(ping_s * 1000, 3))
