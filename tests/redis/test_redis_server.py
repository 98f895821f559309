"""The server that other tests stand on does what they need of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from tests.redis.server import RedisServer, running_server


def test_a_test_begins_with_an_empty_server(redis_server: RedisServer) -> None:
    assert redis_server.ask("DBSIZE") == 0
    redis_server.ask("SET", "left", "behind")


def test_what_another_test_left_behind_is_gone(redis_server: RedisServer) -> None:
    assert redis_server.ask("DBSIZE") == 0


def test_a_server_of_its_own_can_be_killed_and_started_again(redis_binary: str, tmp_path: Path) -> None:
    with running_server(redis_binary, tmp_path) as server:
        server.ask("SET", "key", "value")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            server.ask("PING")
        server.start()
        assert server.ask("GET", "key") is None
