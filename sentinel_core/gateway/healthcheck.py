"""Providers' health, asked at most every 15 seconds however often somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count
from typing import get_args

from sentinel_core.cancellation import own_failure
from sentinel_core.circuits import Status
from sentinel_core.provider import Health, Provider
from sentinel_core.services import Clock

FRESH_S = 15.0
TIMEOUT_S = 2.0


class HealthChecks:
    """The latest health of each provider; one look at a time, shared by whoever asks meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked: float | None = None
        self._found: Mapping[str, Health] = {}
        self._lock = asyncio.Lock()
        self._steps = count()  # tells what came first
        self._begun: dict[str, int] = {}

    async def look(self, providers: Mapping[str, Provider], *, anew: bool = False) -> Mapping[str, Health]:
        """Health by provider, not older than 15 seconds; `anew` asks whatever is known."""
        if not anew and self._fresh(providers):
            return self._found
        async with self._lock:
            if anew or not self._fresh(providers):  # somebody may have looked meanwhile
                now = self._clock.monotonic()
                found = await asyncio.gather(*(_check(provider) for provider in providers.values()))
                self._found = dict(zip(providers, found, strict=True))
                self._looked = now
        return self._found

    def _fresh(self, providers: Mapping[str, Provider]) -> bool:
        recent = self._looked is not None and self._clock.monotonic() - self._looked <= FRESH_S
        return recent and set(self._found) == set(providers)

    async def probe(self, name: str, provider: Provider) -> Health:
        """One provider's health, asked now; the others' stay as old as they are.

        Whoever waits meanwhile shares a probe that began after it asked: many askers are no more than two probes.
        """
        asked = next(self._steps)
        async with self._lock:
            if self._begun.get(name, -1) < asked:
                begun = next(self._steps)
                self._found = {**self._found, name: await _check(provider)}
                self._begun[name] = begun
            return self._found[name]


async def _check(provider: Provider) -> Health:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            found: object = await provider.health_check()
        if not isinstance(found, Health):
            return Health("unhealthy", detail=f"health_check() returned {type(found).__name__}")
        if found.status not in get_args(Status):
            return Health("unhealthy", detail=f"health_check() says {found.status!r}")
        return found
    except TimeoutError:
        return Health("unhealthy", detail="no answer in time")
    except BaseException as exc:  # a provider's own failure is its health, not this gateway's
        if not own_failure(exc):
            raise
        return Health("unhealthy", detail=type(exc).__name__)
