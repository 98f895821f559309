"""What people are shown: the bodies of `GET /api/providers/status` and `GET /api/metrics`, and of the events."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from sentinel_core.circuits import CircuitState, Status
from sentinel_core.gateway import Gateway
from sentinel_plugins.health.observations import Observations, observations_of
from sentinel_plugins.health.standing import Standing
from sentinel_plugins.health.traffic import Calls
from sentinel_plugins.recording.moment import iso


class BreakerState(msgspec.Struct, frozen=True):
    """Of several targets the worst."""

    state: CircuitState


class ProviderStatus(msgspec.Struct, frozen=True):
    """One provider. `latency_ms` is that of its health check, null where nothing was sent.

    `success_rate_pct` is missing before the first call, `circuit_breaker` before the first call through a breaker.
    """

    status: Status
    latency_ms: float | None = None
    success_rate_pct: float | UnsetType = UNSET
    circuit_breaker: BreakerState | UnsetType = UNSET
    detail: str = ""
    last_check: str | None = None


class ProviderStatuses(msgspec.Struct, frozen=True):
    """The body of `GET /api/providers/status`, and the payload of `provider_status` events."""

    providers: dict[str, ProviderStatus]


class ProviderMetrics(msgspec.Struct, frozen=True):
    """The calls of one provider since the start; rate and mean are of the latest 1,000."""

    total_calls: int
    total_successes: int
    total_failures: int
    avg_latency_ms: float
    success_rate_pct: float | UnsetType = UNSET


class Metrics(msgspec.Struct, frozen=True):
    """The body of `GET /api/metrics`, and the payload of `metrics` events: counts of this process since its start.

    `avg_latency_ms` is the mean of the latest 1,000 requests that succeeded, 0 before the first one.
    """

    total_requests: int
    total_successes: int
    total_failures: int
    total_failovers: int
    avg_latency_ms: float
    active_provider: str | None
    uptime_seconds: float
    providers: dict[str, ProviderMetrics]


def statuses(gateway: Gateway) -> ProviderStatuses:
    """Every open provider, as the monitor saw it last."""
    seen = observations_of(gateway.services)
    return ProviderStatuses({name: provider_status(seen, name) for name in gateway.providers})


def provider_status(seen: Observations, name: str) -> ProviderStatus:
    """One provider, as the monitor saw it last; unknown before it has looked."""
    found = seen.standings.get(name)
    rate = seen.traffic.providers[name].rolling.success_rate_pct if name in seen.traffic.providers else None
    if found is None:
        return ProviderStatus("unknown", success_rate_pct=UNSET if rate is None else rate)
    return ProviderStatus(
        status=found.status,
        latency_ms=found.health.latency_ms,
        success_rate_pct=UNSET if rate is None else rate,
        circuit_breaker=BreakerState(found.breaker) if found.breaker is not None else UNSET,
        detail=found.health.detail,
        last_check=iso(found.checked_at),
    )


def metrics(gateway: Gateway) -> Metrics:
    """The counts of this process."""
    seen = observations_of(gateway.services)
    traffic = seen.traffic
    return Metrics(
        total_requests=traffic.requests,
        total_successes=traffic.successes,
        total_failures=traffic.failures,
        total_failovers=traffic.failovers,
        avg_latency_ms=traffic.rolling.avg_latency_ms or 0.0,
        active_provider=traffic.active or _first_well(gateway, seen.standings),
        uptime_seconds=round(gateway.uptime_s, 3),
        providers={name: _provider_metrics(calls) for name, calls in traffic.providers.items()},
    )


def _first_well(gateway: Gateway, standings: dict[str, Standing]) -> str | None:
    """Before any answer: the first provider that a request would find well."""
    return next((name for name in gateway.providers if name in standings and standings[name].well), None)


def _provider_metrics(calls: Calls) -> ProviderMetrics:
    rate = calls.rolling.success_rate_pct
    return ProviderMetrics(
        total_calls=calls.total,
        total_successes=calls.successes,
        total_failures=calls.failures,
        avg_latency_ms=calls.rolling.avg_latency_ms or 0.0,
        success_rate_pct=UNSET if rate is None else rate,
    )
