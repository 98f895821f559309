"""Redis stores for tests: on a server's own clock, or on one that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sentinel_core.config import Secret
from sentinel_plugins.state.redis import RedisState, RedisStateConfig
from tests.redis.server import RedisServer

NOW = "test:now"
MOVED_CLOCK = f"""
local function server_time()
  return tonumber(redis.call('GET', '{NOW}') or 0)
end
"""


def config(url: str, **fields: Any) -> RedisStateConfig:  # Any: as the table has them
    """The table of a store at a URL."""
    return RedisStateConfig(kind="redis", url=Secret(url, "REDIS_URL"), **fields)


@asynccontextmanager
async def redis_state(url: str, **fields: Any) -> AsyncIterator[RedisState]:  # Any: as the table has them
    """A store that is open."""
    async with RedisState.open(config(url, **fields)) as store:
        yield store


class MovedTime:
    """The clock of stores that were made with `MOVED_CLOCK`: it stands still until a test moves it."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self.now = 1_700_000_000 * 1_000_000

    def advance(self, microseconds: int) -> None:
        """Time passes; a negative number is a clock that was set back."""
        self.now += microseconds
        self._server.ask("SET", NOW, self.now)
