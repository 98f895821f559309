"""Fixtures: a test that asks for records runs on every store, and on every kind of Redis that tests run against.

`records_table` is the store as a configuration has it, `opener` opens it, and `records` is open.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

from sentinel_core.json_types import TomlTable
from sentinel_core.records import RecordStore
from tests.plugins.records.opened import Opener, opened, redis_table, sqlite_table
from tests.redis.binaries import BINARIES, MISSING, kinds
from tests.redis.server import RedisServer, running_server

Servers: TypeAlias = Callable[[str], RedisServer]


@pytest.fixture(scope="session")
def record_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One server of each kind, started when a test first asks for it."""
    with ExitStack() as stack:

        @cache
        def server(kind: str) -> RedisServer:
            binary = BINARIES[kind]
            if binary is None:
                pytest.skip(MISSING)
            return stack.enter_context(running_server(binary, tmp_path_factory.mktemp(kind)))

        yield server


@pytest.fixture(params=["memory", "sqlite", *kinds()])
def records_table(request: pytest.FixtureRequest, tmp_path: Path, record_servers: Servers) -> TomlTable:
    """The table of one of the stores, which is empty."""
    if request.param == "memory":
        return {"kind": "memory"}
    if request.param == "sqlite":
        return sqlite_table(tmp_path)
    server = record_servers(request.param)
    server.ask("FLUSHALL")
    return redis_table(server, tmp_path)


@pytest.fixture
def opener(records_table: TomlTable) -> Opener:
    """How to open the store, the same one again each time."""
    return lambda: opened(records_table)


@pytest.fixture
async def records(opener: Opener) -> AsyncIterator[RecordStore]:
    """An empty, open store."""
    async with opener() as store:
        yield store
