"""Fixtures for tests against a real Redis; registered by `tests/conftest.py`.

With SENTINEL_TEST_REDIS=all each such test runs against every kind of server, Valkey and Redis.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.redis.binaries import BINARIES, MISSING, kinds
from tests.redis.server import RedisServer, running_server


@pytest.fixture(scope="session", params=kinds())
def redis_binary(request: pytest.FixtureRequest) -> str:
    """The program of a server, for tests that start their own: they kill it, freeze it or need several."""
    binary = BINARIES[request.param]
    if binary is None:
        pytest.skip(MISSING)
    return binary


@pytest.fixture(scope="session")
def shared_redis_server(redis_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for the whole session. Ask for `redis_server`, which empties it."""
    with running_server(redis_binary, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(shared_redis_server: RedisServer) -> RedisServer:
    """A running, empty server. Tests share its process: leave its settings and its life alone."""
    shared_redis_server.ask("FLUSHALL")
    return shared_redis_server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Where an empty server is."""
    return redis_server.url
