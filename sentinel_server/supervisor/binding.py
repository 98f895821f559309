"""The listening address: bound early, so that a port in use is found before anything else starts (S07)."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sentinel_core.config import ServerSettings
from sentinel_core.errors import ConfigError, ConfigProblem

log = logging.getLogger("sentinel.supervisor")


def bind(server: ServerSettings, *, shared: bool = False) -> socket.socket:
    """A bound socket that does not listen yet. `ConfigError` names the key if that is not possible.

    With `shared` other processes of ours may bind the same port, and the kernel spreads connections over those that
    listen (SO_REUSEPORT). That somebody else has the port is still found: it is bound alone first. That somebody else
    found the same in the same moment, `claimed` finds.
    """
    family, address = _resolve(server)
    alone = _bound(family, address, server)
    if not shared:
        return alone
    address = (address[0], alone.getsockname()[1])
    alone.close()
    return _bound(family, address, server, reuse_port=True)


def join(host: str, port: int) -> socket.socket:
    """One more socket on a port that this gateway's supervisor holds."""
    server = ServerSettings(host=host, port=port)
    family, address = _resolve(server)
    return _bound(family, address, server, reuse_port=True)


@contextmanager
def claimed(reservation: socket.socket, server: ServerSettings) -> Iterator[None]:
    """Keep a shared port from everybody else's workers. `ConfigError` if others have it.

    The kernel lets two fleets of a user share a port that neither listened on as the other looked. A name in Linux's
    abstract space is given once, in each network, and is free again when its process is gone. Elsewhere there is no
    such name, and two that start in the same moment are not told apart.
    """
    if sys.platform != "linux":
        yield
        return
    host, port = reservation.getsockname()[:2]
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0sentinel {host} {port}")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError([_problem(error, server)]) from error
            log.warning("the port cannot be kept from other fleets (%s)", error.strerror)
        yield


def url(sock: socket.socket) -> str:
    """How a client on this machine reaches a bound socket."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolve(server: ServerSettings) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        problem = ConfigProblem(
            f"not an address of this machine: {error.strerror}",
            table="server",
            key="host",
            found=repr(server.host),
            expected="an IP address or a host name",
        )
        raise ConfigError([problem]) from error
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def _bound(
    family: socket.AddressFamily, address: tuple[str, int], server: ServerSettings, *, reuse_port: bool = False
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        if not reuse_port:
            sock.listen(0)  # with SO_REUSEADDR only this finds out that somebody listens there
    except OSError as error:
        sock.close()
        raise ConfigError([_problem(error, server)]) from error
    sock.setblocking(False)
    return sock


def _problem(error: OSError, server: ServerSettings) -> ConfigProblem:
    reason = os.strerror(error.errno) if error.errno else str(error)
    host_is_wrong = error.errno == errno.EADDRNOTAVAIL
    return ConfigProblem(
        f"cannot listen on {server.host}:{server.port}: {reason}",
        table="server",
        key="host" if host_is_wrong else "port",
        found=repr(server.host) if host_is_wrong else str(server.port),
        expected="an address of this machine" if host_is_wrong else "a free port that this user may bind; 0 takes one",
    )
