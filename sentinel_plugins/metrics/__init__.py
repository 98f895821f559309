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
    """`GET /metrics` and `GET /metrics/prometheus`."""
    return Routes(gateway, _config(gateway)).all()


def _config(gateway: Gateway) -> MetricsConfig:
    """The table `[stages.metrics]`, which is why this module was loaded."""
    config = next(plan.config for plan in gateway.blueprint.chain.stages if plan.name == Metrics.name)
    assert isinstance(config, MetricsConfig)
    return config
