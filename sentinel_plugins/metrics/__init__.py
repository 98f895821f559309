"""What this process has counted, for people and for Prometheus. `[stages.metrics]`."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_plugins.metrics.config import MetricsConfig
from sentinel_plugins.metrics.endpoints import Routes
from sentinel_plugins.metrics.stage import Metrics

__all__ = ["Metrics", "MetricsConfig", "sentinel_endpoints", "sentinel_stages"]


@hookimpl
def sentinel_stages() -> Iterable[type[Stage]]:
    """The observer `metrics`."""
    return (Metrics,)


@hookimpl
def sentinel_endpoints(gateway: Gateway) -> Iterable[Endpoint | Socket]:
    """`GET /metrics` and `GET /metrics/prometheus`, where the table is."""
    config = gateway.blueprint.chain.table(Metrics.name, MetricsConfig)
    return Routes(gateway, config).all() if config is not None else ()
