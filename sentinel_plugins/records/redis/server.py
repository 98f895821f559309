"""The server as this store talks to it: one step at a time, refused in time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from sentinel_core.counts import Outages
from sentinel_core.errors import Refusal
from sentinel_plugins.recording.group_commit import unavailable
from sentinel_plugins.records.redis.config import RedisRecordsConfig
from sentinel_plugins.redis.command import Argument, packed
from sentinel_plugins.redis.scripts import Script, Scripts, source
from sentinel_plugins.redis.tasks import Tasks
from sentinel_plugins.redis.topology import Topology
from sentinel_plugins.redis.wire import Reply

log = logging.getLogger("sentinel.records")


def _script(name: str, *, grows: bool) -> Script:
    return Script(name, source(__package__, name), grows=grows)


APPEND, PUT = (_script(name, grows=True) for name in ("append", "put"))
PAGE, FITTING, OLDEST, FORGET = (_script(name, grows=False) for name in ("page", "fitting", "oldest", "forget"))


class Server:
    """Every call may raise `Refusal` (ledger_unavailable), at once while the server is known not to answer. A
    full server is asked for what needs no memory."""

    def __init__(self, config: RedisRecordsConfig, outages: Outages) -> None:
        self.tasks = Tasks()
        self._topology = Topology(config, self.tasks, outages)
        self._scripts = Scripts(self._topology)

    async def open(self) -> None:
        """Look at the server; one that does not answer is found again when it does."""
        await self._topology.open()
        await self._warn()

    async def close(self) -> None:
        """End every connection."""
        self._topology.close()
        await self.tasks.close()

    @property
    def available(self) -> bool:
        """Whether calls are tried."""
        return self._topology.available

    async def run(self, script: Script, keys: Sequence[bytes], *arguments: Argument) -> Any:  # each has its own answer
        """The answer of a step. All keys have one hash tag."""
        try:
            return _answer(await self._scripts.run(script, keys, *arguments))
        except Refusal as error:
            raise unavailable() from error

    async def look(self, *words: Argument, key: bytes) -> Any:  # each command has its own answer
        """The answer of a command that reads one key."""
        try:
            return _answer(await self._topology.call(key, packed(*words), grows=False))
        except Refusal as error:
            raise unavailable() from error

    async def _warn(self) -> None:
        """Say it where rows end with the server."""
        try:
            text = _answer(await self._topology.anywhere(packed("INFO", "persistence")))
        except Refusal:
            return
        if b"aof_enabled:0" in text:
            log.warning("Redis keeps no append-only file: the rows of its last moments, or all, end with it")


def _answer(reply: Reply) -> Any:  # as in `Server`
    """The reply, unless it is an error: then this call is refused."""
    if isinstance(reply, ResponseError):
        log.error("Redis refused a command: %s", reply)
        raise unavailable() from reply
    return reply
