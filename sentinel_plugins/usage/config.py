"""The table `[stages.usage]`."""

from __future__ import annotations

from typing import Literal

from sentinel_core.config import Count, Seconds
from sentinel_core.stage import StageConfig
from sentinel_plugins.recording.journal import MOST


class UsageConfig(StageConfig, frozen=True, kw_only=True):
    """The ledger of calls: one row for each, in the record store."""

    guarantee: Literal["best_effort", "required"] = "best_effort"
    """`best_effort` writes a call's row when its request is over: a process that is killed takes with it the rows of
    what runs, and of the last moment. `required` commits an intent before each call, and refuses the request
    with 503 `ledger_unavailable` where that fails; a call whose process did not live to tell gets its row from that:
    choose it where no call may be missing."""
    lost_after_s: Seconds = 3600.0
    """How long after its beginning a call without a row is taken for lost: longer than `request_timeout_s` of
    `[server]`, which any request may take."""
    max_waiting: Count = MOST
    """Rows that may wait while the record store does not answer. Further ones are dropped, counted and logged: raise it
    if an outage of the store may last longer than this many calls."""
    retention_s: Seconds | None = None
    """Rows older than this are deleted; without it all are kept. Where the state store has lost a budget, it continues
    from these rows: keep them for longer than its period, and all of them where one has the period `total`."""

    def __post_init__(self) -> None:
        if self.retention_s is not None and self.retention_s <= self.lost_after_s:
            raise ValueError("retention_s: must be longer than lost_after_s: what is deleted would be taken for lost")
