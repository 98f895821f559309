"""The table `[state]` with `kind = "redis"`."""

from __future__ import annotations

from sentinel_core.config import Count
from sentinel_plugins.redis.config import RedisConfig


class RedisStateConfig(RedisConfig, frozen=True, kw_only=True):
    """State in Redis 6.2 or later, or Valkey, shared by every gateway with this `prefix`.

    A Cluster is recognised by itself: name one of its nodes, or a name that leads to those that are up.
    """

    max_value_bytes: Count = 16 * 1024 * 1024
    """The largest value. Larger ones are not written, and what is found larger is removed."""
    subscriber_messages: Count = 1_000
    """How many messages may wait for one subscriber before it is dropped."""
