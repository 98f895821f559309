"""Who is behind a trusted proxy. What anybody else forwards is their own words (H37)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


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
        noted = headers.get(self._header, b"").decode("latin-1")
        nodes = map(_node, _from_the_end(noted, ",")) if self._header == b"forwarded" else reversed(noted.split(","))
        for node in nodes:
            named = _parsed(node.strip())
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
    """The `for` of one element of `Forwarded` (RFC 7239 section 4), which has one at most; empty if it has none."""
    named = [value for name, value in map(_pair, _from_the_end(element, ";")) if name == "for"]
    return named[0] if len(named) == 1 else ""


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    """A value that is a token or a quoted string; empty for what is neither."""
    if '"' not in value:
        return value
    whole = value.endswith('"') and _opening(value, len(value) - 1) == 0
    return _ESCAPE.sub(r"\1", value[1:-1]) if whole else ""


def _from_the_end(text: str, separator: str) -> Iterator[str]:
    """What stands between separators outside of quoted strings, the last one first: a proxy's own words are there, and
    no quote that somebody left open before them changes where they begin. An empty one is last where nobody can tell.
    """
    end = at = cut = quote = len(text)
    while True:
        if cut >= at:
            cut = text.rfind(separator, 0, at)
        if quote >= at:
            quote = text.rfind('"', 0, at)
        if quote > cut:
            at = _opening(text, quote)
            if at < 0:
                yield ""
                return
            continue
        yield text[cut + 1 : end]
        if cut < 0:
            return
        end = at = cut


def _opening(text: str, closing: int) -> int:
    """Where the quoted string begins that ends at `closing`; -1 if nowhere. Quotes behind an odd number of backslashes
    are part of it."""
    at = text.rfind('"', 0, closing)
    while at > 0:
        begin = at
        while begin > 0 and text[begin - 1] == "\\":
            begin -= 1
        if (at - begin) % 2 == 0:
            break
        at = text.rfind('"', 0, begin)
    return at
