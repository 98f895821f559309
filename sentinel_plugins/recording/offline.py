"""The configured record store for commands, without a gateway that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.gateway import Gateway
from sentinel_core.records import RecordStore

T = TypeVar("T")


def answered(gateway: Gateway, work: Callable[[RecordStore], Awaitable[T]]) -> T:
    """What comes of the work on the store of the configuration. Raises `Refusal` as it does, and as `records_of`."""

    async def run() -> T:
        async with records_of(gateway) as records:
            return await work(records)

    return asyncio.run(run())


@asynccontextmanager
async def records_of(gateway: Gateway) -> AsyncIterator[RecordStore]:
    """The store, open. Raises `ConfigError` for one that ends with its process."""
    store = gateway.blueprint.records
    if not store.kind.durable:
        message = f"{store.kind.kind!r} ends with its process: no command can reach its rows"
        raise ConfigError((ConfigProblem(message, table="records", key="kind", expected="a durable store"),))
    async with store.kind.open(store.config) as records:
        yield records
