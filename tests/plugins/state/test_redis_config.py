"""`[state] kind = "redis"`: what it takes, and what it says without its packages (C-23, S2-46)."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from redis.asyncio.connection import SSLConnection

from sentinel_core.config import Secret
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_plugins.redis.address import Door
from sentinel_plugins.redis.breaker import FAILURES
from sentinel_plugins.state.memory.reservations import GONE_TTL_S
from sentinel_plugins.state.redis import RedisStateConfig
from sentinel_plugins.state.redis.scripts import source
from sentinel_plugins.state.redis.steps import MOST
from sentinel_plugins.state.redis.store import GONE_S
from tests.long_form import long_form
from tests.plugins.state.redis_stores import config, redis_state
from tests.promises.tree import page
from tests.redis.server import RedisServer, running_server
from tests.redis.shim import Shim

WITHOUT = """
import sys
sys.modules["redis"] = sys.modules["hiredis"] = None
from sentinel_server.cli import main
main()
"""


def loaded(folder: Path, state: str, **environ: str) -> RedisStateConfig:
    """The table as a gateway reads it."""
    (file := folder / "sentinel.toml").write_text(f"[state]\n{state}\n", "utf-8")
    found = Gateway.load(file, environ=environ).blueprint.state.config
    assert isinstance(found, RedisStateConfig)
    return found


def test_c23_two_lines_of_a_file_move_a_gateway_to_redis(tmp_path: Path) -> None:
    found = loaded(tmp_path, 'kind = "redis"\nurl = { env = "REDIS_URL" }', REDIS_URL="rediss://u:p@there:6380/2")
    door = Door(found)
    assert str(door.seed) == "there:6380"
    assert isinstance(door.connection(door.seed), SSLConnection)


@pytest.mark.parametrize(
    ("url", "seed"),
    [
        ("redis://there", "there:6379"),
        ("redis://[::1]:7", "::1:7"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
        ("redis://:p%40ss@there:1/0", "there:1"),
    ],
)
def test_s1_38_a_url_says_where_it_is(url: str, seed: str) -> None:
    assert str(Door(config(url)).seed) == seed


async def test_rediss_is_tls_and_the_server_must_prove_who_it_is(redis_server: RedisServer, tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with Shim(redis_server.port, tls) as shim:
        async with redis_state(f"{shim.url}?ssl_ca_certs={tmp_path / 'ca.pem'}") as store:
            await store.set("key", b"value", ttl_s=10.0)
            assert await store.get("key") == b"value"
        async with redis_state(shim.url) as stranger:
            assert not stranger.available


async def test_a_unix_socket_is_an_address_too(redis_binary: str, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with running_server(redis_binary, tmp_path, "--unixsocket", str(path)):
        async with redis_state(f"unix://{path}") as store:
            await store.set("key", b"value", ttl_s=10.0)
            assert await store.get("key") == b"value"


def test_s0_42_without_a_url_host_and_port_say_where_it_is() -> None:
    assert str(Door(RedisStateConfig(kind="redis")).seed) == "localhost:6379"
    assert str(Door(RedisStateConfig(kind="redis", host="there", port=1)).seed) == "there:1"


@pytest.mark.parametrize("url", ["http://user:secret@host", "redis://host?max_connections=5&colour=secret", "secret"])
def test_a_url_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="not a URL of Redis") as caught:
        config(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "named"), [('prefix = "{mine}"', "prefix"), ("timeout_s = 0", "timeout_s"), ("port = 0", "port")]
)
def test_a_mistake_in_the_table_is_refused(tmp_path: Path, line: str, named: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[state\] {named}"):
        loaded(tmp_path, f'kind = "redis"\n{line}')


@long_form
def test_without_its_packages_the_store_says_what_to_install(tmp_path: Path) -> None:
    (file := tmp_path / "sentinel.toml").write_text('[state]\nkind = "redis"\n', "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "check", "--config", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    expected = "needs the packages redis and hiredis; the extra 'redis' is missing: pip install '.[redis]' in"
    assert expected in " ".join(done.stderr.split())


def test_a_secret_url_is_not_shown() -> None:
    assert "hunter2" not in repr(RedisStateConfig(kind="redis", url=Secret("redis://u:hunter2@there", "REDIS_URL")))


def test_the_numbers_in_the_reference_are_those_of_the_code() -> None:
    text = page("docs/reference/state.md")
    assert (FAILURES, "the first five at the most fail" in text) == (5, True)
    assert (GONE_S, GONE_TTL_S, "gone for 15 minutes" in text) == (900, 900.0, True)
    assert (MOST // 10**9, "9,007,199 dollars" in text) == (9_007_199, True)
    assert (RedisStateConfig(kind="redis").timeout_s, "`timeout_s` (0.25 s)" in text) == (0.25, True)
    assert "more than 1,024 entries" in text
    assert all(f"{kind}.WALK = 1024" in source(kind) for kind in ("exact", "holds"))
