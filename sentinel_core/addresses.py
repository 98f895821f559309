"""What of an address belongs to one client."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """What one client owns: an IPv4 address, or the /64 of an IPv6 address (RFC 6177), in which it may take any."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and not parsed.is_loopback:
        return str(parsed.ipv4_mapped or ip_network((parsed.packed[:8] + bytes(8), 64)))
    return str(parsed)
