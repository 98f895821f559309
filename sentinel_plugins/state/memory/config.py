"""The table `[state]` with `kind = "memory"`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.state import StoreConfig


class MemoryStateConfig(StoreConfig, frozen=True, kw_only=True):
    """State that lives and ends with one process.

    With `approximate` several workers each count on their own: N workers admit up to N times every limit.
    `max_entries` bounds each kind of state: values, entries of window logs, budgets, open reservations and ids
    marked as gone, about 1 kB each at most. Where it is reached, the least recently used value, log or budget is
    forgotten, which is logged, and new reservations are refused with `state_unavailable`. Raise it if that is
    logged. `subscriber_messages` is how many messages may wait for one subscriber before it is dropped.
    """

    max_entries: Annotated[int, Meta(ge=1)] = 100_000
    subscriber_messages: Annotated[int, Meta(ge=1)] = 1_000
