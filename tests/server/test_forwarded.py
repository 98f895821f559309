"""H37: who is behind a proxy, and who only says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import ServerSettings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_server.edge.forwarded import TrustedProxies

PIECES = st.lists(st.sampled_from([*'",;=\\ax6.', "for=6.6.6.6"]), max_size=20).map("".join)
PROXIES = ("10.0.0.0/8", "fd00::/8")


def client(peer: str, value: str | None, *, header: str = "x-forwarded-for", trusted: tuple[str, ...] = PROXIES) -> str:
    headers = {header.encode(): value.encode("latin-1")} if value is not None else {}
    return TrustedProxies(trusted, header).client(peer, headers)


@pytest.mark.parametrize("forged", ["1.2.3.4", "1.2.3.4, 10.0.0.9", "127.0.0.1", "::1", "garbage"])
def test_h37_what_an_untrusted_peer_forwards_is_ignored(forged: str) -> None:
    assert client("203.0.113.7", forged) == "203.0.113.7"
    assert client("10.0.0.1", forged, trusted=()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("1.2.3.4, unknown, 10.0.0.3", "10.0.0.3"),
        ("", "10.0.0.1"),
        (None, "10.0.0.1"),
    ],
)
def test_h37_the_rightmost_untrusted_address_behind_a_trusted_proxy_counts(value: str | None, expected: str) -> None:
    assert client("10.0.0.1", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7"),
        ('For="[2001:db8::7]:4711"', "2001:db8::7"),
        ("for=1.2.3.4, for=203.0.113.7, for=10.0.0.5", "203.0.113.7"),
        ("for=_hidden", "10.0.0.1"),
    ],
)
def test_h37_forwarded_is_read_where_the_configuration_names_it(value: str, expected: str) -> None:
    assert client("10.0.0.1", value, header="forwarded") == expected


QUOTED = [
    ('for=203.0.113.7;host="x,for=6.6.6.6"', "203.0.113.7"),
    ('host="a;for=6.6.6.6";for=203.0.113.7', "203.0.113.7"),
    (r'for=203.0.113.7;host="a\",for=6.6.6.6;x=\"b"', "203.0.113.7"),
    (r'for=203.0.113.7;host="a\\"', "203.0.113.7"),
    ('for=", for=203.0.113.7', "203.0.113.7"),
    ('for=", for=203.0.113.7;host=",for=6.6.6.6;x="', "203.0.113.7"),
    (r'for="\, for=203.0.113.7;host=",for=6.6.6.6;x=\""', "203.0.113.7"),
    (r'for="203.0.113.\7"', "203.0.113.7"),
    ('for="203.0.113.77', "10.0.0.1"),
    ('for="203.0.113.7"7', "10.0.0.1"),
    ("for=203.0.113.7;for=6.6.6.6", "10.0.0.1"),
]


@pytest.mark.parametrize(("value", "expected"), QUOTED)
def test_h37_nothing_in_a_quoted_string_of_forwarded_is_an_address(value: str, expected: str) -> None:
    """A proxy notes the `Host` that its client sent, and appends to what its client says was noted before."""
    assert client("10.0.0.1", value, header="forwarded") == expected


def quoted(text: str) -> str:
    """As RFC 9110 section 5.6.4 has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(PIECES, PIECES)
def test_h37_whatever_a_client_says_and_is_called_its_proxy_says_where_it_is(said: str, host: str) -> None:
    value = f"{said}, for=203.0.113.7;host={quoted(host)}"
    assert client("10.0.0.1", value, header="forwarded") == "203.0.113.7"


def test_h37_only_the_header_that_the_proxy_sets_is_read() -> None:
    headers = {b"x-forwarded-for": b"203.0.113.7", b"forwarded": b"for=1.2.3.4", b"x-real-ip": b"1.2.3.4"}
    assert TrustedProxies(PROXIES, "x-forwarded-for").client("10.0.0.1", headers) == "203.0.113.7"


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_h37_whatever_stands_in_the_header_a_trusted_peer_gets_an_address(value: str) -> None:
    found = client("10.0.0.1", value)
    assert found
    assert client("203.0.113.7", value) == "203.0.113.7"


def test_a_network_that_is_none_is_a_problem_at_start() -> None:
    with pytest.raises(ConfigError, match="is not a network such as"):
        settings_from({"server": {"trusted_proxies": ["10.0.0.1/8"]}})
    assert ServerSettings(trusted_proxies=("10.0.0.1",)).trusted_proxies == ("10.0.0.1",)
