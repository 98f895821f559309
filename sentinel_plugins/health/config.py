"""The table `[stages.health]`."""

from __future__ import annotations

from sentinel_core.config import Seconds
from sentinel_core.stage import StageConfig


class HealthConfig(StageConfig, frozen=True, kw_only=True):
    """How the gateway watches its providers, and how it tells."""

    interval_s: Seconds = 15.0
    """Between two looks at all providers, give or take a tenth, so that many gateways do not ask at the same moment.
    Lower it to notice outages sooner where no requests come."""
    heartbeat_s: Seconds = 30.0
    """How often a subscriber of `/ws/system-events` hears that its connection lives. Keep it below the idle timeout of
    the proxies in between."""
    send_timeout_s: Seconds = 5.0
    """How long one event may wait for a subscriber that does not read; then its connection is dropped."""
