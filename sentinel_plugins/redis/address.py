"""How to reach a server: what the configuration says, for it and for other nodes of its Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from redis.asyncio.connection import AbstractConnection, Connection, parse_url

from sentinel_plugins.redis.config import RedisConfig

NO_LIMIT = None
"""redis-py's own timeouts are off: links have theirs, and a subscription may be silent for hours."""
LOOKS = 10
"""How often within its time a connection that opens looks whether the loop stood still: less than one part is lost."""


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
        own = {"protocol": 2, "socket_timeout": NO_LIMIT, "socket_connect_timeout": NO_LIMIT}
        self._options: Mapping[str, Any] = {**options, **own}  # Any: as redis-py takes them

    def connection(self, address: Address) -> AbstractConnection:
        """A connection that is not open yet."""
        place = {} if "path" in self._options else {"host": address.host, "port": address.port}
        return self._kind(**{**self._options, **place})


def _nobody(late_s: float) -> None:
    """Nobody else counts this time."""


async def connected(
    connection: AbstractConnection, timeout_s: float, stood_still: Callable[[float], None] = _nobody
) -> None:
    """Open a connection. Raises RedisError or OSError, a timeout included. What takes several turns of the loop is not
    charged what the loop spent on others' work: that is added to its time, and `stood_still` hears of it."""
    loop = asyncio.get_running_loop()
    part_s = timeout_s / LOOKS
    timer: asyncio.TimerHandle

    def look(due: float) -> None:
        nonlocal timer
        now = loop.time()
        if limit.expired():
            return
        limit.reschedule(cast("float", limit.when()) + now - due)
        stood_still(now - due)
        timer = loop.call_at(now + part_s, look, now + part_s)

    async with asyncio.timeout(timeout_s) as limit:
        first = loop.time() + part_s
        timer = loop.call_at(first, look, first)
        try:
            await cast("Any", connection).connect()  # redis-py leaves it without types
        finally:
            timer.cancel()
