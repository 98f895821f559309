"""Addresses of machines on the internet."""

from __future__ import annotations

import ipaddress
import re

from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity
from sentinel_plugins.guarding.tail import opening

_LEFT = 32
VERSION = Label(
    r"v|ver|versions?|releases?|build|oid|object ?identifier|section|§|chapter|firmware|sdk|driver",
    left=_LEFT,
    adjacent=True,
    names="Version",
)
_PACKAGE = re.compile(r"(?:==|[~!<>]=|\([<>]= |[\^~]|(?<![A-Za-z0-9_.+])[A-Za-z][A-Za-z0-9_.+]{0,24}[-\u2010\u2011])\Z")
"""What asks for a version (PEP 440, Debian), and a name with a hyphen, as word processors write it too."""
_MACHINE = Label(
    r"ips?|ipv4|addr(?:ess)?(?:es)?|hosts?|hostname|src|dst|server|client|node|peer|gateway|dns",
    left=_LEFT,
    names="Ip|IP",
)
"""Words that say that it is an address all the same."""
_FILES = ("tar", "tgz", "zip", "whl", "egg", "gem", "jar", "deb", "rpm", "exe", "msi", "dmg", "nupkg")
_TAGS = ("cp", "py", "pp")
"""Of Python's wheels (PEP 425)."""
_BEHIND = rf"\.(?:{'|'.join(_FILES)})(?![A-Za-z0-9])|-(?:{'|'.join(_TAGS)})[0-9]"
_BEHIND_BEGUN = rf"\.(?:{'|'.join(map(opening, _FILES))})?|-(?:{'|'.join(map(opening, _TAGS))})?"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ALONE = f"{FREE}(?:(?<![:.].)|(?<=[G-Zg-z]:.)|(?<=(?i:[ptv]6):.)|(?<=(?i:hostname):.))"
"""Behind no colon, unless it is that of a word: one that ends in no hexadecimal digit, `ip6:`, `inet6:`, `IPv6:` (RFC
5321, section 4.1.3) or `hostname:`."""
_LONGEST = 15
_NOBODYS = ("0", "127.", "255.")
"""This network, this machine (RFC 1122, section 3.2.1.3), and masks. No number of an address begins with a 0."""
_IDENTIFIERS = ("2.5.4.", "2.5.29.", "1.3.101.")
"""What names the attributes and the extensions of certificates (X.520, X.509), and the curves of RFC 8410."""


def ip_v4_address() -> PatternEntity:
    """Four numbers up to 255. Not versions (`Chrome/126.0.0.0`, `version 1.2.3.4`, `x==1.2.3.4`, `x-1.2.3.4.tar`),
    not object identifiers, and not what is nobody's: loopback, 0.0.0.0, the broadcast address and masks."""
    return PatternEntity(
        "IP_ADDRESS",
        "pii",
        rf"[0-9]{FREE}(?<![0-9]\..)(?<![A-Za-z0-9]/.)[0-9]{{0,2}}(?:\.{_OCTET}){{3}}(?![A-Za-z0-9]|\.[0-9]|{_BEHIND})",
        trigger=r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        live=rf"[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{0,3}}(?:{_BEHIND_BEGUN})?",
        max_length=_LONGEST + max(map(len, _FILES)) + 1,
        left=_LEFT,
        check=_v4,
    )


def _v4(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    if int(value.partition(".")[0]) > 255:
        return False
    if value.startswith(_NOBODYS) or VERSION.before(text, start):
        return False
    named = value.startswith(_IDENTIFIERS) or _PACKAGE.search(text, max(0, start - _LEFT + 1), start) is not None
    return not named or _MACHINE.before(text, start)


_SAID = Label(r"ips?|ipv?6|inet6|addr(?:ess)?(?:es)?|hosts?|hostname", left=_LEFT, adjacent=True, names="Ip|IP|Addr")
_ASSIGNED = re.compile("(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|ff0[0-9a-f]):", re.IGNORECASE)
"""What addresses begin with: of anybody, of a network of one's own, of a link, of groups (RFC 4291, RFC 4193)."""
_SLICE = re.compile(r"[\w)\]]\[\Z")
"""What Python's are behind."""
_SERIAL = re.compile("(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2}")


def ip_v6_address() -> PatternEntity:
    """RFC 4291, section 2.2, from three hexadecimal digits in the first group on, or all eight groups: `a::b` is code
    more often than an address. So is `abc::1`, unless addresses begin so or a word says that it is one. Not EUI-64 and
    other names of eight bytes. Loopback is nobody's."""
    return PatternEntity(
        "IP_ADDRESS",
        "pii",
        rf"[0-9A-Fa-f:]{_ALONE}[0-9A-Fa-f:]{{1,5}}:[0-9A-Fa-f:.]{{1,39}}(?:(?<=[0-9A-Fa-f])|(?<=::))"
        r"(?![A-Za-z0-9]|:[0-9A-Fa-f:])",
        trigger=r"[0-9A-Fa-f]{3,4}:[0-9A-Fa-f]{0,4}:|(?:[0-9A-Fa-f]{1,4}:){6}|::[Ff]{4}:",
        live=r"[0-9A-Fa-f:][0-9A-Fa-f:.]*",
        max_length=45,
        left=_LEFT,
        check=_v6,
    )


def _v6(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    first = value.partition(":")[0]
    if value.count(":") != 7 and len(first) < 3 and not value.startswith("::"):
        return False
    if _SERIAL.fullmatch(value):
        return False
    if "." not in value and sum(map(bool, value.split(":"))) < 3 and not _may_be_short(text, start):
        return False
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _may_be_short(text: str, start: int) -> bool:
    """Whether an address of one or two groups may begin here, where code has as many."""
    if _ASSIGNED.match(text, start) and not _SLICE.search(text, max(0, start - 2), start):
        return True
    return _SAID.before(text, start)
