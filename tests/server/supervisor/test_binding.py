"""The listening address: what cannot be bound is found at once, and named."""

from __future__ import annotations

import socket
import sys

import pytest

from sentinel_core.config import ServerSettings
from sentinel_core.errors import ConfigError
from sentinel_server.supervisor.binding import bind, claimed, join, url


def test_s07_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"\[server\] port: cannot listen on 127.0.0.1:{port}"):
            bind(ServerSettings(port=port))


def test_s07_a_port_that_others_share_is_in_use_for_us() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="cannot listen"):
            bind(ServerSettings(port=taken.getsockname()[1]), shared=True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing can be claimed")
def test_s07_of_two_that_found_a_port_free_at_once_one_has_it() -> None:
    with bind(ServerSettings(port=0), shared=True) as ours:
        server = ServerSettings(port=ours.getsockname()[1])
        with bind(server, shared=True) as theirs:  # nobody listens yet
            with (
                claimed(ours, server),
                pytest.raises(ConfigError, match=r"\[server\] port: .*: Address already in use"),
                claimed(theirs, server),
            ):
                pass
            with claimed(theirs, server):  # free again
                pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_s07_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[server\] host: .*{host}"):
        bind(ServerSettings(host=host, port=0))


def test_workers_join_a_reserved_port_and_the_reservation_takes_no_connection() -> None:
    with bind(ServerSettings(port=0), shared=True) as reservation:
        port = reservation.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with join("127.0.0.1", port) as worker:
            worker.listen()
            socket.create_connection(("127.0.0.1", port)).close()


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])
def test_the_url_is_one_that_a_client_here_can_use(host: str, shown: str) -> None:
    with bind(ServerSettings(host=host, port=0)) as sock:
        assert url(sock) == f"http://{shown}:{sock.getsockname()[1]}"
