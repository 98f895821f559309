"""The configured record store for commands, without a gateway that runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from msgspec import structs

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.blueprint import StorePlan
from sentinel_core.records import RecordStore
from sentinel_core.state import StoreConfig
from sentinel_plugins.recording.late import Late

log = logging.getLogger("sentinel.records")

T = TypeVar("T")
C = TypeVar("C", bound=StoreConfig)

PATIENCE_S = 5.0
"""What a command waits for a store at least, where a request gives up after its `timeout_s`."""


def answered(gateway: Gateway, work: Callable[[RecordStore], Awaitable[T]]) -> T:
    """What comes of reading the store of the configuration. Raises `Refusal` as the work does, and `ConfigError` for a
    store that ends with its process, or that is not there."""

    async def run() -> T:
        store = _durable(gateway)
        async with store.kind.reader(_patient(store.config)) as records:
            await _catch_up(records)
            return await work(records)

    return asyncio.run(run())


@asynccontextmanager
async def records_of(gateway: Gateway, *, made: bool = True) -> AsyncIterator[RecordStore]:
    """The store, open to be written; unless it may be `made`, one that is there.

    Raises `ConfigError` for one that ends with its process, or that is not there.
    """
    store = _durable(gateway)
    if not made:
        async with store.kind.reader(_patient(store.config)):
            """It is there."""
    async with store.kind.open(_patient(store.config)) as records:
        await _catch_up(records)
        yield records


async def _catch_up(records: RecordStore) -> None:
    """Take in the rows that a gateway left behind; where some still wait, the log says so."""
    if isinstance(records, Late) and not await records.caught_up():
        log.warning("rows still wait on disk for this store, and are in no answer until they were sent")


def _patient(config: C) -> C:
    """The same with time for a slow disk or network, where the store has a limit of that name: nobody stands behind a
    command, and what it is told that it could not write may be there all the same."""
    limit_s = getattr(config, "timeout_s", None)
    return config if limit_s is None else structs.replace(config, timeout_s=max(limit_s, PATIENCE_S))


def _durable(gateway: Gateway) -> StorePlan[RecordStore]:
    store = gateway.blueprint.records
    if not store.kind.durable:
        message = f"{store.kind.kind!r} ends with its process: no command can reach its rows"
        raise ConfigError((ConfigProblem(message, table="records", key="kind", expected="a durable store"),))
    return store
