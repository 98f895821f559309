"""The outside world of a process: its clock, its threads, its services."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from sentinel_core.counts import Counts
from sentinel_core.records import RecordStore
from sentinel_core.registry import Registry
from sentinel_core.services import Services
from sentinel_core.state import StateStore


class SystemClock:
    """The machine's time."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)


def services(registry: Registry, state: StateStore, records: RecordStore, executor: ThreadPoolExecutor) -> Services:
    """What plugins are given: the registry's services beside the stores and the process's own."""
    made: dict[str, Any] = {name: factory() for name, factory in registry.services.items()}
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
