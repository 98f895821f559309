"""The table `[records]` with `kind = "redis"`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.config import Seconds
from sentinel_plugins.redis.config import RedisConfig


class RedisRecordsConfig(RedisConfig, frozen=True, kw_only=True):
    """Rows in Redis 6.2 or later, or Valkey, shared by every gateway with this `prefix`.

    They are as durable as the server: give it `appendonly yes` and `maxmemory-policy noeviction`, and room for as long
    as rows are kept. The rows of one table lie on one node of a Cluster.
    """

    kind: str = "redis"
    """`redis`."""
    query_timeout_s: Seconds = 5.0
    """How long a query or a sum may take. It reads every row of its span of time, 500 or a megabyte of them at a
    time."""
    spool: Annotated[str, Meta(min_length=1)] = "sentinel-spool"
    """The folder where appended rows wait on disk while Redis does not answer; made if it is missing. Rows are sent
    once it does, also those of a gateway that was killed. A relative path starts at the working directory; put it on a
    volume that outlives the container."""
    spool_max_bytes: Annotated[int, Meta(ge=0)] = 64 * 1024 * 1024
    """How much of it each worker may fill; then appends are refused with `ledger_unavailable`. 0 keeps no spool, and
    appends are refused at once while Redis does not answer."""
