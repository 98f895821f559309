"""`[stages.hedge]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.config import Seconds
from sentinel_core.stage import StageConfig

Share = Annotated[float, Meta(gt=0, le=1, description="a share above 0 and up to 1")]


class HedgeConfig(StageConfig, frozen=True, kw_only=True):
    """When a call is slow, and how many may be sent twice."""

    delay_s: Seconds = 2.0
    """A reply that has not begun after this gets a rival. Choose the time that nine calls of ten keep."""
    max_extra: Share = 0.05
    """The share of calls that may be sent a second time: each of them may be paid twice."""

    def __post_init__(self) -> None:
        if self.timeout_s is not None:  # the chain's clock of own time cannot tell two calls at once apart
            raise ValueError("timeout_s: not for this stage, which only waits for calls; see the provider's limits")
