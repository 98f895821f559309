"""`[stages.guard_api]`."""

from __future__ import annotations

from sentinel_core.config import Count
from sentinel_core.stage import StageConfig


class GuardApiConfig(StageConfig, frozen=True, kw_only=True):
    """`POST /v1/guard`: what the guards of this gateway would do with texts. With this table the route is there."""

    requests_per_minute: Count = 60
    """How often one key may ask in any minute. Whoever may ask often can try out what passes, so keep it low."""
    max_chars: Count = 16_384
    """Characters of all texts of one question; more are refused with 413. To say where everything is takes a guard
    about three times as long as a request does."""
