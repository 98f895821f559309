"""The edge's parts for themselves: paths, headers, lengths, hosts, origins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from starlette.types import Message

from sentinel_core.config import ServerSettings
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject
from sentinel_server.edge import Edge
from sentinel_server.edge.cors import Cors, same_origin
from sentinel_server.edge.head import Headers, body_length, check_json, read_headers
from sentinel_server.edge.path import check_path
from sentinel_server.edge.response_headers import wire_headers
from tests.server.asgi_client import scope
from tests.server.edge_fixture import Inner, Life


def passes(raw: bytes, root: bytes = b"") -> bool:
    """Whether the path is canonical."""
    return refused(lambda: check_path(raw, root)) is None


def refused(check: Callable[[], object]) -> str | None:
    """The code with which a check refuses, None if it passes."""
    try:
        check()
    except Refusal as refusal:
        return refusal.code
    return None


PIECES = [b"/", b".", b"a", b"v1", b"%2f", b"%2E", b"%5c", b"%00", b"%c3%a9", b"%ff", b"%", b";", b"/v1/models/", b":"]


@given(st.lists(st.sampled_from(PIECES)).map(b"".join) | st.binary())
def test_h10_what_passes_has_one_reading_only(rest: bytes) -> None:
    raw = b"/" + rest
    if not passes(raw):
        return
    decoded = unquote_to_bytes(raw)
    segments = decoded.split(b"/")[1:]
    assert decoded.startswith(b"/")
    assert b"." not in segments
    assert b".." not in segments
    assert b"" not in segments[:-1]
    assert not {*b"\x00\r\n\\;"} & {*decoded}
    decoded.decode("utf-8")


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\\;", exclude_categories=["Cc"]), min_size=1))
)
def test_h10_any_text_in_a_segment_passes_once_it_is_quoted(segments: list[str]) -> None:
    assume(not {".", ".."} & {*segments})
    assert passes(b"/" + b"/".join(quote_from_bytes(text.encode(), safe="").encode() for text in segments))


@pytest.mark.parametrize(
    ("raw", "root", "canonical"),
    [
        (b"/v1/models/meta%2Fllama", b"", True),
        (b"/v1/models/meta%2fllama", b"", True),
        (b"/llm/v1/models/meta%2Fllama", b"/llm", True),
        (b"/llm/v1/models/meta%2Fllama", b"", False),
        (b"/v1/models/meta%2F..%2Fx", b"", False),
        (b"/v1/models/%2Fx", b"", False),
        (b"/v1/models%2Fx", b"", False),
    ],
)
def test_h10_an_escaped_slash_belongs_to_a_model_id_only(raw: bytes, root: bytes, canonical: bool) -> None:
    assert passes(raw, root) is canonical


@given(st.binary(max_size=30))
def test_h03_a_length_is_digits_or_refused(value: bytes) -> None:
    headers = {b"content-length": value}
    if (code := refused(lambda: body_length(headers))) is None:
        assert value.isdigit()
        assert body_length(headers) == int(value)
    else:
        assert code == "invalid_framing"


def test_repeated_headers_are_joined_as_the_standard_joins_them() -> None:
    raw = [(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"c"), (b"cookie", b"d")]
    headers = Headers(read_headers(raw, max_count=10, max_bytes=100))
    assert dict(headers) == {"accept": "a, b", "cookie": "c; d"}
    assert headers["Accept"] == "a, b"
    assert "\u20ac" not in headers


@given(st.binary(max_size=60))
def test_h25_only_json_in_utf_8_is_json(kind: bytes) -> None:
    if (code := refused(lambda: check_json({b"content-type": kind}))) is None:
        assert b"application/json" in kind.lower()
    else:
        assert code == "unsupported_media_type"


@pytest.mark.parametrize(
    ("origin", "same"),
    [(None, True), (b"https://localhost:8000", True), (b"https://evil.example", False), (b"null", False)],
)
def test_an_origin_is_ours_if_it_names_the_host_that_was_asked(origin: bytes | None, same: bool) -> None:
    headers = {b"host": b"localhost:8000"} | ({b"origin": origin} if origin else {})
    assert same_origin(headers) is same


def test_a_preflight_never_echoes_what_is_no_list_of_headers() -> None:
    asked = {
        b"origin": b"https://a",
        b"access-control-request-method": b"POST",
        b"access-control-request-headers": b"x\r\ny",
    }
    answer = dict(Cors(("*",)).preflight(asked) or ())
    assert answer[b"access-control-allow-headers"] == b""


def test_what_is_no_string_is_no_header_and_fails_nobody(caplog: pytest.LogCaptureFixture) -> None:
    headers: Any = {"x-one": "1", "x-left": 5, "x-none": None, 7: "seven", "x-two": "2"}  # of wrong types
    assert wire_headers(headers) == ((b"x-one", b"1"), (b"x-two", b"2"))
    assert len(caplog.records) == 3


@example({"0:\x80": "a colon in a name ends it"})
@given(st.dictionaries(st.text(), st.text()))
def test_only_what_is_a_header_leaves(headers: dict[str, str]) -> None:
    for name, value in wire_headers(headers):
        assert not {*b"\r\n\0"} & {*name, *value}
        assert name
        assert b":" not in name
        assert name not in (b"content-length", b"connection", b"transfer-encoding")


@pytest.mark.parametrize("extensions", [{}, {"extensions": None}, {"extensions": {"tls": {}}}])
async def test_where_a_server_cannot_answer_a_handshake_it_is_closed(extensions: JsonObject) -> None:
    settings = ServerSettings()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    refusing = Edge(Inner(settings), Life(draining=True), settings, exact={})
    await refusing({**scope("GET", "/", 0), "type": "websocket", **extensions}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1013}]
