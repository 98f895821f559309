"""What `sentinel serve` refuses before it serves anything (reliability S07), in this process."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator

import pytest

from sentinel_server import access_log
from sentinel_server.logs import OURS
from tests.server.cli.conftest import Sentinel

BROKEN = {
    "unknown key": ("[server]\nprot = 1", "[server] prot: unknown key"),
    "bad value": ('[server]\nworkers = "many"', "[server] workers"),
    "more than a system takes": ("[server]\nbacklog = 2147483648", "[server] backlog: not a valid value"),
    "no such provider": ("[providers.nobody]", "[providers.nobody]"),
    "memory state for several workers": ("[server]\nworkers = 2", "Redis"),
    "memory state for several replicas": ("[server]\nreplicas = 3", "3 replicas would each count limits on their own"),
    "memory records for several workers": ("[server]\nworkers = 2\n[state]\napproximate = true", "kind = 'sqlite'"),
    "no such store": ('[state]\nkind = "reddis"', "redis"),
    "a URL that is none": ('[state]\nkind = "redis"\nurl = { env = "HOME" }', "url is not a URL of Redis"),
    "strangers": ('[server]\nhost = "0.0.0.0"', "allow_anonymous = true"),
    "not our address": ('[server]\nhost = "192.0.2.1"\nallow_anonymous = true', "[server] host"),
}


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """A gateway that starts heeds SIGHUP and takes logging over; afterwards this process has its own ways again."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    hang_up, handlers, levels = signal.getsignal(signal.SIGHUP), root.handlers[:], (root.level, ours.level)
    yield
    signal.signal(signal.SIGHUP, hang_up)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    access_log.direct_to(None)


@pytest.mark.parametrize(("text", "named"), BROKEN.values(), ids=BROKEN)
def test_s07_a_configuration_that_cannot_be_used_is_named(sentinel: Sentinel, text: str, named: str) -> None:
    result = sentinel("serve", "--port", "0", config=text)
    assert (result.code, result.out) == (2, "")
    assert named in result.err


def test_s07_a_port_in_use_is_named(sentinel: Sentinel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = sentinel("serve", "--port", port, config="")
        assert result.code == 2
        assert f"[server] port: cannot listen on 127.0.0.1:{port}" in result.err


@pytest.mark.parametrize(
    ("option", "value"), [("--port", "65536"), ("--workers", "0"), ("--runner", "gunicorn"), ("--host", "0.0.0.0")]
)
def test_s07_an_option_that_cannot_be_used_is_named_as_it_was_given(
    sentinel: Sentinel, option: str, value: str
) -> None:
    result = sentinel("serve", option, value, config="")
    assert result.code == 2
    assert f"  {option}: [server] {option.removeprefix('--')}: " in result.err


def test_s07_options_hide_nothing_that_is_wrong_with_the_file(sentinel: Sentinel) -> None:
    result = sentinel("serve", "--port", "99999", "--runner", "x", config="[server]\nprot = 1")
    assert result.code == 2
    for said in ("[server] prot: unknown key", "--port: [server] port: not a valid", "--runner: [server] runner: not"):
        assert said in result.err
    assert "SENTINEL__" not in result.err


def test_reload_is_for_one_worker_wherever_the_number_stands(sentinel: Sentinel) -> None:
    config = "[server]\nworkers = 2\n[state]\napproximate = true\n[records]\napproximate = true\n"
    result = sentinel("serve", "--port", "0", "--reload", config=config)
    assert result.code == 2
    assert "--reload is for one worker" in result.err


def test_s07_no_secret_is_printed(sentinel: Sentinel) -> None:
    config = '[providers.openai]\napi_key = "sk-canary-0123456789"\nbase_url = 7'
    result = sentinel("serve", "--port", "0", config=config)
    assert result.code == 2
    assert "canary" not in result.out + result.err
