"""The configured record store for commands, without a gateway that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.blueprint import StorePlan
from sentinel_core.records import RecordStore

T = TypeVar("T")


def answered(gateway: Gateway, work: Callable[[RecordStore], Awaitable[T]]) -> T:
    """What comes of reading the store of the configuration, which changes nothing. Raises `Refusal` as the work does,
    and `ConfigError` for a store that ends with its process, or that is not there."""

    async def run() -> T:
        store = _durable(gateway)
        async with store.kind.reader(store.config) as records:
            return await work(records)

    return asyncio.run(run())


@asynccontextmanager
async def records_of(gateway: Gateway) -> AsyncIterator[RecordStore]:
    """The store, open to be written. Raises `ConfigError` for one that ends with its process."""
    store = _durable(gateway)
    async with store.kind.open(store.config) as records:
        yield records


def _durable(gateway: Gateway) -> StorePlan[RecordStore]:
    store = gateway.blueprint.records
    if not store.kind.durable:
        message = f"{store.kind.kind!r} ends with its process: no command can reach its rows"
        raise ConfigError((ConfigProblem(message, table="records", key="kind", expected="a durable store"),))
    return store
