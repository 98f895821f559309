"""Who is behind a trusted proxy. What anybody else forwards is their own words (H37)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


class TrustedProxies:
    """The networks of the proxies in front, and the one header in which they note whom they speak for."""

    def __init__(self, networks: Sequence[str], header: str) -> None:
        self._networks = tuple(ip_network(network) for network in networks)
        self._header = header.encode("ascii")

    def client(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """The address of the client: the peer's, unless a trusted proxy names another one.

        Every proxy appends the address that it saw, so the list is read from its end; the first address that is not a
        trusted proxy's is the last one that a trusted proxy vouches for.
        """
        seen = _parsed(peer)
        if seen is None or not self._networks or not self._trusts(seen):
            return peer
        noted = headers.get(self._header, b"").decode("latin-1").split(",")
        for entry in reversed(noted):
            named = _parsed(_node(entry) if self._header == b"forwarded" else entry.strip())
            if named is None:  # not an address: nobody before it can be told
                break
            seen = named
            if not self._trusts(named):
                break
        return str(seen)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: with a port or without; an IPv4 address that was mapped into IPv6 as itself."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _node(element: str) -> str:
    """The `for` of one element of `Forwarded` (RFC 7239 section 4)."""
    return next((value for name, value in _pairs(element) if name == "for"), "")


def _pairs(element: str) -> Iterator[tuple[str, str]]:
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        yield name.strip().lower(), value.strip().strip('"')
