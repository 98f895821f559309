"""The only worker of a gateway: serves in the process that was started."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sentinel_server.supervisor.last_resort import KILL_AFTER_S, LastResort
from sentinel_server.supervisor.reloads import Reloads, heed
from sentinel_server.supervisor.watching import Watcher
from sentinel_server.supervisor.worker import Worker

log = logging.getLogger("sentinel.server")

RESTART = 75
"""The exit code that asks whoever started us to do so again: `EX_TEMPFAIL` of sysexits.h."""


class Single:
    """Signals for one worker: SIGTERM and SIGINT drain, a second one hurries, SIGHUP reloads."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._stopping = False
        self._reloads = Reloads(self._reload, worker.give_up)
        self._restart = False
        self._last_resort = LastResort()

    async def run(self, ready: Callable[[], None], *, watch: bool = False, hung_up: Callable[[], bool]) -> int:
        """Serve; the exit code. With `watch`, reload when the configuration changes, end with `RESTART` when code does.

        `hung_up` says whether a SIGHUP came before there was anybody to heed it.
        """
        heed(self.stop, self._reloads, hung_up)
        watching = asyncio.create_task(self._watch()) if watch else None
        try:
            await self._worker.run(ready)
        finally:
            await self._reloads.cancel()
            if watching is not None:
                watching.cancel()
                await asyncio.wait([watching])
        return RESTART if self._restart else 0

    def stop(self) -> None:
        """Drain; when called again, at once."""
        if self._stopping:
            self._hurry()
            return
        self._stopping = True
        self._worker.begin()
        self._last_resort.within(self._worker.drain_timeout_s + KILL_AFTER_S)

    async def _reload(self) -> str:
        problems = await self._worker.prepare() or self._reloads.outdated or await self._worker.commit()
        if not problems:
            log.info("reloaded")
        return problems

    async def _watch(self) -> None:
        await Watcher(lambda: self._worker.files).run(self._reloads.ask, self._restart_soon)

    def _restart_soon(self) -> None:
        log.info("code has changed: restarting")
        self._restart = True
        self._hurry()

    def _hurry(self) -> None:
        self._worker.hurry()
        self._last_resort.within(KILL_AFTER_S)
