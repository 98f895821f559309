"""The only worker of a gateway: serves in the process that was started."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

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
        self._reloading: asyncio.Task[str] | None = None
        self._restart = False

    async def run(self, ready: Callable[[], None], watcher: Watcher | None = None) -> int:
        """Serve; the exit code. With a watcher, reload when the configuration changes, end with `RESTART` when code
        does."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        watching = loop.create_task(watcher.run(self.reload, self._restart_soon)) if watcher else None
        try:
            await self._worker.run(ready)
        finally:
            for task in (watching, self._reloading):
                if task is not None:
                    task.cancel()
                    await asyncio.wait([task])
        return RESTART if self._restart else 0

    def stop(self) -> None:
        """Drain; when called again, at once."""
        if self._stopping:
            self._worker.hurry()
        self._stopping = True
        self._worker.begin()

    async def reload(self) -> str:
        """Read the configuration again; "" or why the old one stays."""
        problems = await self._worker.prepare() or await self._worker.commit()
        if problems:
            log.error("reload refused, the configuration in force stays:\n%s", problems)
        else:
            log.info("reloaded")
        return problems

    def _restart_soon(self) -> None:
        log.info("code has changed: restarting")
        self._restart = True
        self._worker.hurry()

    def _hang_up(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self.reload())
