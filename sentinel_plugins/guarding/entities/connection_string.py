"""Addresses of services with the password in them."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.connection_properties import MAX_LENGTH, NO_PASSWORD, REST
from sentinel_plugins.guarding.entities.open_ended import OpenEnded

_USER = r"[^\s:/?#@\"'<>`]"
_REST = r"[!#-&(-;=?-\[\]-_a-~]"
_BEHIND = r"[^\s/?#@\"'<>`]"
_PLAIN = r"[!$-&(-.0-;=A-\[\]-_a-~]"
"""Those of `_BEHIND` that are in ASCII."""
_MOST = 4096
"""Characters of a password with the host behind it. So many plain ones that are no port are one without that, too."""
_PORT = r"[0-9]{1,5}[^0-9A-Za-z]"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{1,20}://"
_BEFORE_LAST = r"!().:?\]^{}"
_LAST = r"[#-&*+/-9=@-\[_a-z~-]"
"""A sentence's full stop, and a bracket around it, are no part of an address; neither is the next one of a list."""
_APART = rf"[,;|](?!{_SCHEME})"
_MORE = rf"(?:[!#-&(-+\--:=?-\[\]-_a-{{}}~]++|{_APART})*+"


def connection_string() -> OpenEnded:
    """A URL with a user's password before the host (RFC 3986, section 3.2.1), whatever the scheme: databases, brokers,
    registries. All of it, since host and database tell an attacker where the password fits."""
    return OpenEnded(
        "CONNECTION_STRING",
        "secret",
        rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9][+.-]){_SCHEME}{_USER}{{0,128}}:"
        rf"(?:{_BEHIND}{{1,{_MOST}}}+@(?:[{_BEFORE_LAST}]|{_APART}){{0,300}}+{_LAST}"
        rf"|(?!{_PORT}){_PLAIN}{{{_MOST + 1}}})",
        more=_MORE,
        rest=REST,
        trimmed="!(),.:;?]^{|}",
        trigger=rf"://{_USER}*:(?:{_BEHIND}+@|{_PLAIN}{{64}})",
        live=rf"[A-Za-z][A-Za-z0-9+.-]*(?::(?:/(?:/(?:{_USER}*(?::(?:{_BEHIND}+(?:@{_REST}*)?)?)?)?)?)?)?",
        max_length=MAX_LENGTH,
        check=_no_example,
    )


def _no_example(text: str, start: int, end: int) -> bool:
    """Not a template such as `postgres://user:${PASSWORD}@host`, `://%s:%s@` or `://user:<password>@host`."""
    password = text[start:end].partition("://")[2].partition(":")[2].partition("@")[0]
    return NO_PASSWORD.match(password) is None
