"""`[stages.retry]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.config import Count, Seconds
from sentinel_core.keys import DEFAULT_MAX_ATTEMPTS
from sentinel_core.stage import StageConfig

Share = Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")]


class RetryConfig(StageConfig, frozen=True, kw_only=True):
    """How often, how soon, and how much of the traffic may be repetition."""

    max_attempts: Count = DEFAULT_MAX_ATTEMPTS
    """Calls of one request at any target, the first one and fallbacks included."""
    base_delay_s: Seconds = 1.0
    """The wait before the first repetition is a random time up to this; the bound doubles with each further one."""
    max_delay_s: Seconds = 40.0
    """Where that doubling ends. A longer `Retry-After`, up to 120 s, is kept nevertheless."""
    budget: Share = 0.1
    """The share of the traffic that may be repetitions. Three are always allowed."""

    def __post_init__(self) -> None:
        if self.timeout_s is not None:  # its own time is the wait before a repetition
            raise ValueError(
                "timeout_s: not for this stage, which only waits; see max_delay_s and the provider's limits"
            )
