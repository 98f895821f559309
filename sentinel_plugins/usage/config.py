"""The table `[stages.usage]`."""

from __future__ import annotations

from sentinel_core.config import Count
from sentinel_core.stage import StageConfig
from sentinel_plugins.recording.journal import MOST


class UsageConfig(StageConfig, frozen=True, kw_only=True):
    """The ledger of calls: one row for each, in the record store."""

    max_waiting: Count = MOST
    """Rows that may wait while the record store does not answer. Further ones are dropped, counted and logged: raise it
    if an outage of the store may last longer than this many calls."""
