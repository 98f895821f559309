"""How to reach a server: what the configuration says, for it and for other nodes of its Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from redis.asyncio.connection import AbstractConnection, Connection, parse_url

from sentinel_plugins.redis.config import RedisConfig

NO_LIMIT = None
"""redis-py's own timeouts are off: links have theirs, and a subscription may be silent for hours."""


class Address(NamedTuple):
    """A server's place, as people write it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Door:
    """Makes connections, with the credentials and the TLS settings of the configuration."""

    def __init__(self, config: RedisConfig) -> None:
        options: dict[str, Any] = {"host": config.host, "port": config.port}  # as redis-py's connections take them
        if config.url is not None:
            options = {"host": "localhost", "port": 6379, **parse_url(config.url.reveal())}
        self._kind: Callable[..., AbstractConnection] = options.pop("connection_class", Connection)
        if "path" in options:
            del options["host"], options["port"]
        self.seed = Address(options.get("path") or options["host"], options.get("port", 0))
        own = {"protocol": 2, "socket_timeout": NO_LIMIT, "socket_connect_timeout": config.timeout_s}
        self._options: Mapping[str, Any] = {**options, **own}

    def connection(self, address: Address) -> AbstractConnection:
        """A connection that is not open yet."""
        place = {} if "path" in self._options else {"host": address.host, "port": address.port}
        return self._kind(**{**self._options, **place})


async def connected(connection: AbstractConnection, timeout_s: float) -> None:
    """Open a connection. Raises RedisError or OSError, a timeout included."""
    async with asyncio.timeout(timeout_s):
        await cast("Any", connection).connect()  # redis-py leaves it without types
