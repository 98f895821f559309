"""What the tables of all stores in Redis have in common."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta
from redis.asyncio.connection import Connection, parse_url

from sentinel_core.config import Count, Name, Seconds, Secret
from sentinel_core.state import StoreConfig

Prefix = Annotated[str, Meta(pattern=r"^[^{}\s]*\Z", description="a string without braces and white space")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port")]


class RedisConfig(StoreConfig, frozen=True, kw_only=True):
    """Where a Redis 6.2 or later, or a Valkey, is. A Cluster is recognised by itself: name any of its nodes."""

    url: Secret | None = None
    """Where it is, with the password: `{ env = "REDIS_URL" }`. `redis://[user:password@]host[:port][/number]`, `rediss://`
    for TLS (`?ssl_ca_certs=/path` for an authority of your own), or `unix://path`. Instead of `host` and `port`."""
    host: Name = "localhost"
    """Where it is, if it needs neither a password nor TLS."""
    port: Port = 6379
    """Its port there."""
    prefix: Prefix = "sentinel:"
    """What every key and channel begins with. Give two deployments on one server two prefixes: a Cluster has no
    numbered databases."""
    timeout_s: Seconds = 0.25
    """How long a server may take for a command, its connection included; what this process itself has been busy with
    meanwhile is added. What takes longer counts as failed: a request waits no longer. Raise it for a Redis far away."""
    connections: Count = 2
    """Connections from each worker to each server, shared by all requests. One is enough for counters; a second lets
    them pass a large answer."""

    def __post_init__(self) -> None:
        if self.url is None:
            return
        try:
            options: dict[str, Any] = {**parse_url(self.url.reveal())}  # as redis-py's connections take them
            options.pop("connection_class", Connection)(**options)
        except (ValueError, TypeError):  # their texts may quote the password
            raise ValueError(
                "url is not a URL of Redis (redis://, rediss:// or unix://) with options it knows"
            ) from None
