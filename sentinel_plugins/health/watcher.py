"""Looks at providers, notices what changed, and writes and tells incidents."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from sentinel_core.errors import SentinelError
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.circuits import states_by_provider
from sentinel_core.provider import Health
from sentinel_plugins.health.events import EventType, publish
from sentinel_plugins.health.incidents import Incidents, KeptIncident, incident
from sentinel_plugins.health.observations import observations_of
from sentinel_plugins.health.report import ProviderStatus, metrics, provider_status, statuses
from sentinel_plugins.health.standing import Standing, standing
from sentinel_plugins.recording.reach import own

log = logging.getLogger("sentinel.health")


class Watcher:
    """The eyes of the monitor and of the probe endpoint. What it knows lives in the `Observations`."""

    def __init__(self, gateway: Gateway, quiet_s: float) -> None:
        self._gateway = gateway
        self._quiet_s = quiet_s
        self._heard = True

    async def look(self) -> None:
        """Ask every provider, then tell what was found."""
        await self._judge(await self._gateway.health(anew=True))
        await self._publish("provider_status", statuses(self._gateway))
        await self._publish("metrics", metrics(self._gateway))

    async def probe(self, name: str) -> ProviderStatus:
        """Ask one provider now. Raises KeyError for a name that is not open."""
        await self._judge({name: await self._gateway.probe(name)})
        await self._publish("provider_status", statuses(self._gateway))
        return provider_status(observations_of(self._gateway.services), name)

    async def react(self) -> None:
        """Look at the breakers without asking anybody, and write down who was routed away from."""
        seen, clock = observations_of(self._gateway.services), self._gateway.services.clock
        await self._judge({name: found.health for name, found in seen.standings.items()}, asked=False)
        for (name, to), first in seen.new_reroutes(clock.monotonic(), self._quiet_s).items():
            message = f"requests for {name} are answered by {to}"
            tenant, asker = own(first.principal)
            named = {"to_provider": to, "trace_id": first.id, "tenant": tenant, **asker}
            await self._tell(incident("failover_triggered", clock.time(), name, message, **named))

    async def _judge(self, found: Mapping[str, Health], *, asked: bool = True) -> None:
        """Take what was found as the providers' standings. Providers that are gone are forgotten.

        `asked` is False where the health checks are those of the last look.
        """
        standings = observations_of(self._gateway.services).standings
        for name in standings.keys() - self._gateway.providers.keys():
            del standings[name]
        clock = self._gateway.services.clock
        at, now, circuits = clock.time(), clock.monotonic(), states_by_provider(self._gateway)
        incidents: list[KeptIncident] = []
        for name, health in found.items():
            if name in self._gateway.providers:
                before = standings.get(name)
                after = standing(before, health, circuits.get(name, frozenset()), at, now)
                if before is not None and not asked:
                    after = msgspec.structs.replace(after, checked_at=before.checked_at)
                standings[name] = after
                incidents += _changes(name, before, after, at, now)
        for one in incidents:  # after every standing is set: nobody who judges meanwhile sees a change twice
            await self._tell(one)

    async def _tell(self, one: KeptIncident) -> None:
        """Log, keep and broadcast one incident. It is told also where it cannot be kept, and kept where it cannot be
        told."""
        log.warning("%s: %s", one.type, one.message)
        services = self._gateway.services
        try:
            await Incidents(services.records).add(one, services.clock.time())
        except SentinelError as error:
            log.warning("an incident could not be kept: %s", error)
        await self._publish("incident", one)

    async def _publish(self, kind: EventType, payload: msgspec.Struct) -> None:
        """Tell whoever listens. What was found stands where nobody can be told, which is logged once."""
        try:
            await publish(self._gateway.state, kind, payload)
        except SentinelError as error:
            if self._heard:
                log.warning("subscribers of system events hear nothing: %s", error)
            self._heard = False
        else:
            self._heard = True


def _changes(name: str, before: Standing | None, after: Standing, at: float, now: float) -> list[KeptIncident]:
    """The incident between two standings, if there is one."""
    down = before.down_since if before is not None else None
    if after.down_since is not None and down is None:
        why = after.health.detail or (f"circuit {after.breaker}" if after.breaker == "open" else after.health.status)
        return [incident("outage", at, name, f"{name} is down: {why}")]
    if after.down_since is None and down is not None:
        return [incident("recovery", at, name, f"{name} answers again", duration_s=round(now - down, 3))]
    return []
