"""`[stages.breaker]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.config import Count, Seconds
from sentinel_core.stage import StageConfig

Share = Annotated[float, Meta(gt=0, le=1, description="a share above 0 and up to 1")]
WindowSeconds = Annotated[float, Meta(ge=0.1, description="a number of seconds of at least 0.1")]


class BreakerConfig(StageConfig, frozen=True, kw_only=True):
    """When a target counts as failing, and for how long it is left alone."""

    failure_threshold: Count = 3
    """So many failures in a row open the circuit, however few calls there are."""
    failure_rate: Share = 0.5
    """This share of failures within `window_s` opens it too, once there were `min_calls`."""
    min_calls: Count = 10
    """Below so many calls within `window_s` the share says nothing."""
    window_s: WindowSeconds = 10.0
    """How far back the share looks."""
    recovery_timeout_s: Seconds = 30.0
    """How long an open circuit waits before one call may probe the target; doubled each time it opens again without a
    success in between."""
    max_recovery_timeout_s: Seconds = 300.0
    """Where that doubling ends. Below `recovery_timeout_s` there is none."""
    quarantine_s: Seconds = 60.0
    """How long a target is left alone, at least, that refused this gateway's credentials or whose quota is used up."""
