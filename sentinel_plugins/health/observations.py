"""What one process has seen of its providers: shared by the stage, the monitor and the endpoints, kept over reloads."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from sentinel_core.context import Context, Outcome
from sentinel_core.keys import PRINCIPAL, Principal
from sentinel_core.reroute import Reroute, reroute_of
from sentinel_core.services import ServiceKey, Services
from sentinel_plugins.health.standing import Standing
from sentinel_plugins.health.traffic import Traffic


class Rerouted(NamedTuple):
    """One request that was rerouted: its id, and who asked it."""

    id: str
    principal: Principal | None


class Observations:
    """The service `health`.

    `standings` is what the monitor thinks of each provider. The stage leaves news here, and the monitor takes them: a
    request waits for neither incident nor event.
    """

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.standings: dict[str, Standing] = {}
        self._reroutes: dict[tuple[str, str], Rerouted] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._news = asyncio.Event()

    def note(self, ctx: Context, outcome: Outcome) -> None:
        """One exchange that is over."""
        reroute = reroute_of(ctx)
        self.traffic.add(ctx, outcome, reroute)
        for pair in _pairs(reroute):
            self._reroutes.setdefault(pair, Rerouted(ctx.id, ctx.get(PRINCIPAL)))
        troubled = any(not standing.well for standing in self.standings.values())
        if troubled or reroute.passed or any(row.is_bad for row in ctx.attempts):
            self._news.set()

    async def news(self) -> None:
        """Wait until an exchange was noted that may change what is thought of a provider."""
        await self._news.wait()
        self._news.clear()

    def new_reroutes(self, now: float, quiet_s: float) -> dict[tuple[str, str], Rerouted]:
        """Who was routed away from to whom since the last call, with the first request.

        Of one pair at most one in `quiet_s` seconds: an outage under load is one incident, not thousands.
        """
        found, self._reroutes = self._reroutes, {}
        fresh = {pair: first for pair, first in found.items() if now - self._told.get(pair, -quiet_s) >= quiet_s}
        self._told.update(dict.fromkeys(fresh, now))
        return fresh


OBSERVATIONS: ServiceKey[Observations] = ServiceKey("health")
"""What stage, monitor and endpoints share."""


def observations_of(services: Services) -> Observations:
    """Those of this process; none yet where no gateway shares any."""
    return services.find(OBSERVATIONS, Observations)


def _pairs(reroute: Reroute) -> list[tuple[str, str]]:
    """Providers that were passed over, each with the one that answered instead."""
    if reroute.used is None:
        return []
    to = reroute.used.provider
    return [(name, to) for name in dict.fromkeys(target.provider for target in reroute.passed) if name != to]
