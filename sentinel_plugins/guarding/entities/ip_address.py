"""Addresses of machines on the internet."""

from __future__ import annotations

import ipaddress

from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity

_LEFT = 24
_VERSION = Label(
    r"v|ver|versions?|releases?|build|oid|section|§|chapter|firmware|sdk|driver", left=_LEFT, adjacent=True
)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ALONE = "(?<![A-Za-z0-9_:.].)"
_NOBODYS = ("0.", "127.")
"""This network and this machine (RFC 1122, section 3.2.1.3)."""


def ip_v4_address() -> PatternEntity:
    """Four numbers up to 255. Not versions (`Chrome/126.0.0.0`, `version 1.2.3.4`), and not what is nobody's: loopback,
    0.0.0.0, the broadcast address."""
    return PatternEntity(
        "IP_ADDRESS",
        "pii",
        rf"[0-9]{FREE}(?<![0-9]\..)(?<![A-Za-z0-9]/.)[0-9]{{0,2}}(?:\.{_OCTET}){{3}}(?![A-Za-z0-9_]|\.[0-9])",
        trigger=r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        live=r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}\.?",
        max_length=15,
        left=_LEFT,
        check=_v4,
    )


def _v4(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    if int(value.partition(".")[0]) > 255:
        return False
    return value != "255.255.255.255" and not value.startswith(_NOBODYS) and not _VERSION.before(text, start)


def ip_v6_address() -> PatternEntity:
    """RFC 4291, section 2.2, from three hexadecimal digits in the first group on, or all eight groups: `a::b` is code
    more often than an address. Loopback is nobody's."""
    return PatternEntity(
        "IP_ADDRESS",
        "pii",
        rf"[0-9A-Fa-f:]{_ALONE}[0-9A-Fa-f:]{{1,5}}:[0-9A-Fa-f:.]{{1,39}}(?<=[0-9A-Fa-f:])(?![A-Za-z0-9_:])",
        trigger=r"[0-9A-Fa-f]{3,4}:[0-9A-Fa-f]{0,4}:|(?:[0-9A-Fa-f]{1,4}:){6}|::[Ff]{4}:",
        live=r"[0-9A-Fa-f:][0-9A-Fa-f:.]*",
        max_length=45,
        left=1,
        check=_v6,
    )


def _v6(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    first = value.partition(":")[0]
    if value.count(":") != 7 and len(first) < 3 and not value.startswith("::"):
        return False
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
