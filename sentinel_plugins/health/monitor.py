"""The background work: a look at every provider in every interval, and at once where requests show trouble."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from sentinel_core.gateway import Gateway
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.observations import observations_of
from sentinel_plugins.health.watcher import Watcher

log = logging.getLogger("sentinel.health")

JITTER = 0.1


class Monitor:
    """Runs until it is cancelled. A failing store or provider ends one look, never the monitor."""

    def __init__(self, gateway: Gateway, config: HealthConfig) -> None:
        self._gateway = gateway
        self._interval_s = config.interval_s
        self._watcher = Watcher(gateway, config.interval_s)

    async def run(self) -> None:
        """Look and react, side by side."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._looking())
            group.create_task(self._reacting())

    async def _looking(self) -> None:
        clock = self._gateway.services.clock
        while True:
            await _logged(self._watcher.look)
            await clock.sleep(self._interval_s * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret

    async def _reacting(self) -> None:
        seen = observations_of(self._gateway.services)
        while True:
            await seen.news()
            await _logged(self._watcher.react)


async def _logged(step: Callable[[], Awaitable[None]]) -> None:
    try:
        await step()
    except Exception:  # whatever it was, the next look may go well
        log.exception("a look at the providers failed")
