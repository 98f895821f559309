"""The outside world of a process: its clock, its threads, its services."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from sentinel_core.counts import Counts
from sentinel_core.gateway.blueprint import Blueprint
from sentinel_core.prices import Prices
from sentinel_core.records import RecordStore
from sentinel_core.registry import Registry
from sentinel_core.services import CATALOGUE, PRICES, SERVER, Services
from sentinel_core.state import StateStore


class SystemClock:
    """The machine's time. It is asked for several times by every request, so these are its own functions."""

    monotonic = staticmethod(time.monotonic)
    """Seconds that never jump."""
    time = staticmethod(time.time)
    """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)


async def opened(blueprint: Blueprint, stack: AsyncExitStack) -> Services:
    """What plugins are given: the blueprint's stores and a pool of threads, open until the stack closes, and more."""
    state = await stack.enter_async_context(blueprint.state.kind.open(blueprint.state.config))
    records = await stack.enter_async_context(blueprint.records.kind.open(blueprint.records.config))
    executor = stack.enter_context(ThreadPoolExecutor(thread_name_prefix="sentinel"))
    return services(blueprint.registry, state, records, executor)


def services(registry: Registry, state: StateStore, records: RecordStore, executor: ThreadPoolExecutor) -> Services:
    """What plugins are given: the registry's services beside the stores and the process's own."""
    made: dict[str, Any]  # each service is of a type of its own
    made = {name: factory() for name, factory in registry.services.items()}
    http = made.pop("http")
    counts = Counts()
    counts.include(state)
    counts.include(records)
    return Services(SystemClock(), http, executor, state, records, counts, extra=made)


def completed(given: Services, registry: Registry) -> Services:
    """The same services, with those of the registry that are not among them yet."""
    known = {"http", *given.extra}
    missing = {name: factory() for name, factory in registry.services.items() if name not in known}
    return replace(given, extra={**given.extra, **missing}) if missing else given


def furnished(given: Services, blueprint: Blueprint) -> Services:
    """The same services, with the gateway's own: what it knows of models and their prices, and `[server]`."""
    prices = Prices(blueprint.catalogue, {plan.name: plan.kind for plan in blueprint.providers})
    own: dict[str, Any]  # as above
    own = {CATALOGUE: blueprint.catalogue, PRICES: prices, SERVER: blueprint.settings.server}
    return replace(given, extra={**given.extra, **own})
