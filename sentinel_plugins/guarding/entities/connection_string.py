"""Addresses of services with the password in them."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.connection_properties import NO_PASSWORD
from sentinel_plugins.guarding.entities.pattern import PatternEntity

_USER = r"[^\s:/?#@\"'<>`]"
_BEHIND = r"[^\s/?#@\"'<>`]"
_REST = r"[!#-&(-;=?-\[\]-_a-~]"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{1,20}://"
_LAST = r"[#-&*+/-9=@-\[_a-z~-]"
"""A sentence's full stop, and a bracket around it, are no part of an address; neither is the next one of a list."""


def connection_string() -> PatternEntity:
    """A URL with a user's password before the host (RFC 3986, section 3.2.1), whatever the scheme: databases, brokers,
    registries. All of it, since host and database tell an attacker where the password fits."""
    return PatternEntity(
        "CONNECTION_STRING",
        "secret",
        rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9][+.-]){_SCHEME}{_USER}{{0,128}}:{_BEHIND}{{1,200}}@(?:(?![,;|]{_SCHEME}){_REST}){{0,300}}{_LAST}",
        trigger=rf"://{_USER}*:{_BEHIND}+@",
        live=rf"[A-Za-z][A-Za-z0-9+.-]*(?::(?:/(?:/(?:{_USER}*(?::(?:{_BEHIND}+(?:@{_REST}*)?)?)?)?)?)?)?",
        max_length=640,
        check=_no_example,
    )


def _no_example(text: str, start: int, end: int) -> bool:
    """Not a template such as `postgres://user:${PASSWORD}@host`, `://%s:%s@` or `://user:<password>@host`."""
    password = text[start:end].partition("://")[2].partition(":")[2].partition("@")[0]
    return NO_PASSWORD.match(password) is None
