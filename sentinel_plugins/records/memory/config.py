"""The table `[records]` with `kind = "memory"`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.state import StoreConfig


class MemoryRecordsConfig(StoreConfig, frozen=True, kw_only=True):
    """Rows that end with the process. Use it to look at recent traffic, never to bill.

    With `approximate` several workers each keep their own rows: a query then sees those of the worker that
    answers it. `max_rows` bounds each table; the oldest rows go first. A query looks at every row of its table.
    """

    max_rows: Annotated[int, Meta(ge=1)] = 10_000
