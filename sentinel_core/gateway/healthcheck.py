"""Providers' health, asked at most every 15 seconds however often somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import TypeAlias, get_args

from sentinel_core.cancellation import own_failure
from sentinel_core.circuits import Status
from sentinel_core.provider import HEALTH_TIMEOUT_S, Health, Provider

FRESH_S = 15.0

InForce: TypeAlias = Callable[[], Mapping[str, Provider]]
"""The open providers by name, as they are at the moment of asking."""


class HealthChecks:
    """The latest health of each provider; one look at a time, shared by whoever asks meanwhile.

    What was found of a provider says nothing about another one that has its name after a reload.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._looked: float | None = None
        self._found: Mapping[str, Health] = {}
        self._of: Mapping[str, Provider] = {}
        self._lock = asyncio.Lock()
        self._steps = count()  # tells what came first
        self._begun: dict[str, int] = {}

    def begin(self) -> None:
        """The gateway opens: in a loop that may be another one than before."""
        self._lock = asyncio.Lock()

    async def look(self, in_force: InForce, *, anew: bool = False) -> Mapping[str, Health]:
        """Health by provider, not older than 15 seconds; `anew` asks whatever is known."""
        while True:
            found = await self._look(providers := in_force(), anew=anew)
            if in_force() == providers:  # else a reload has closed some of them meanwhile
                return found

    async def _look(self, providers: Mapping[str, Provider], *, anew: bool) -> Mapping[str, Health]:
        if not anew and self._fresh(providers):
            return self._found
        async with self._lock:
            if anew or not self._fresh(providers):  # somebody may have looked meanwhile
                now = self._now()
                found = await asyncio.gather(*(self._check(*named) for named in providers.items()))
                self._found, self._of = dict(zip(providers, found, strict=True)), providers
                self._looked = now
        return self._found

    def _fresh(self, providers: Mapping[str, Provider]) -> bool:
        recent = self._looked is not None and self._now() - self._looked <= FRESH_S
        return recent and self._of == providers

    async def probe(self, name: str, in_force: InForce) -> Health:
        """One provider's health, asked now; the others' stay as old as they are. Raises KeyError for an unknown name.

        Whoever waits meanwhile shares a probe that began after it asked: many askers are no more than two probes.
        """
        while True:
            found = await self._probe(name, provider := in_force()[name])
            if in_force().get(name, provider) is provider:
                return found

    async def _probe(self, name: str, provider: Provider) -> Health:
        asked = next(self._steps)
        async with self._lock:
            if self._begun.get(name, -1) < asked or self._of.get(name) is not provider:
                begun = next(self._steps)
                self._found = {**self._found, name: await self._check(name, provider)}
                self._of = {**self._of, name: provider}
                self._begun[name] = begun
            return self._found[name]

    async def _check(self, name: str, provider: Provider) -> Health:
        """What this provider says, or what was known of it where it could not find out."""
        found = await _check(provider)
        known = self._found[name] if self._of.get(name) is provider else found
        return known if found.status == "unknown" else found


async def _check(provider: Provider) -> Health:
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
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
