"""Commands read what a gateway left in the spool, and say so where they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_plugins.recording.offline import records_of
from sentinel_plugins.records.redis.spool import Batch, Spool, line
from tests.plugins.records.opened import redis_table, row
from tests.plugins.records.test_redis_outage import TABLE, ids
from tests.plugins.records.test_redis_spool import commit
from tests.redis.server import RedisServer, running_server

SAYS = "rows still wait on disk"


@pytest.fixture
def server(redis_binary: str, tmp_path: Path) -> Iterator[RedisServer]:
    """A server of one's own."""
    with running_server(redis_binary, tmp_path) as running:
        yield running


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Spool]:
    """What another process spooled, and holds until it is closed."""
    (tmp_path / "spool").mkdir()
    spool = Spool(tmp_path / "spool", 10_000)
    commit(spool, *(line(Batch(TABLE, [row(number)])) for number in range(3)))
    yield spool
    spool.close()


def gateway(server: RedisServer, folder: Path) -> Gateway:
    """One that is never opened."""
    return Gateway(settings_from({"records": redis_table(server, folder), "providers": {"echo": {}}}))


async def test_a_command_finds_the_rows_of_a_gateway_that_was_killed(
    server: RedisServer, tmp_path: Path, left: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    left.close()
    async with records_of(gateway(server, tmp_path)) as records:
        assert await ids(records) == ["row-0", "row-1", "row-2"]
    assert SAYS not in caplog.text


async def test_a_command_says_so_where_a_gateway_that_lives_has_rows_to_send(
    server: RedisServer, tmp_path: Path, left: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    async with records_of(gateway(server, tmp_path)) as records:
        assert await ids(records) == []
    assert SAYS in caplog.text


async def test_a_command_says_so_where_the_server_takes_nothing(
    server: RedisServer, tmp_path: Path, left: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    left.close()
    server.kill()
    async with records_of(gateway(server, tmp_path)):
        assert SAYS in caplog.text
