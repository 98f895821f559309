"""What the bytes of a request may not be, whichever runner reads them (reliability 2c, framing)."""

from __future__ import annotations

import asyncio
import json
import re
import time
from email.utils import parsedate_to_datetime

import h11
import pytest

from sentinel_server.runners.strict_h11 import StrictConnection
from tests.pace import AT_ONCE_S, until
from tests.server.runners.conftest import FRAME, HANDSHAKE, Start, closed

HOST = b"Host: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /a HTTP/1.1\r\n" + HOST + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body)


REFUSED = {
    "h01_length_then_chunked": post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "h01_chunked_then_length": post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED),
    "h01_chunked_in_http10": chunked(b"0\r\n\r\n" + SMUGGLED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "h02_two_lengths": post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!"),
    "h03_plus": post(b"Content-Length: +5", body=b"hello"),
    "h03_hexadecimal": post(b"Content-Length: 0x5", body=b"hello"),
    "h03_list": post(b"Content-Length: 5,5", body=b"hello"),
    "h04_identity_chunked": post(b"Transfer-Encoding: identity, chunked", body=b"0\r\n\r\n"),
    "h04_xchunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "h05_chunk_without_end": chunked(b"3\r\nabcX\r\n0\r\n\r\n"),
    "h05_chunk_with_bare_lf": chunked(b"3\r\nabc\n0\r\n\r\n"),
    "h05_size_with_bare_lf": chunked(b"3\nabc\r\n0\r\n\r\n"),
    "h05_size_of_20_digits": chunked(b"1" * 20 + b"\r\nabc\r\n0\r\n\r\n"),
    "h05_size_that_wraps_around": chunked(b"1" + b"0" * 15 + b"3" + b"\r\nabc\r\n0\r\n\r\n"),
    "h05_long_extension": chunked(b"3;" + b"a" * 20_000 + b"\r\nabc\r\n0\r\n\r\n"),
    "h06_folded": b"GET /a HTTP/1.1\r\nX: a\r\n b\r\n" + HOST + b"\r\n",
    "h06_folded_with_tab": b"GET /a HTTP/1.1\r\nX: a\r\n\tb\r\n" + HOST + b"\r\n",
    "h06_bare_lf": b"GET /a HTTP/1.1\nHost: x\n\n",
    "h06_one_bare_lf": b"GET /a HTTP/1.1\r\nHost: x\nY: z\r\n\r\n",
    "h06_bare_lf_at_end": b"GET /a HTTP/1.1\r\nHost: x\r\n\n",
    "h06_bare_cr": b"GET /a HTTP/1.1\r\nHost: x\r\nY: a\rb\r\n\r\n",
    "h06_space_before_colon": b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n",
    "h07_prior_knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "h10_non_ascii_path": b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
    "h10_fragment": b"GET /a#x HTTP/1.1\r\n" + HOST + b"\r\n",
    "h10_fragment_in_query": b"GET /a?b#x HTTP/1.1\r\n" + HOST + b"\r\n",
    "h11_method_in_lower_case": b"delete /a HTTP/1.1\r\n" + HOST + b"\r\n",
    "h11_method_in_mixed_case": b"GeT /a HTTP/1.1\r\n" + HOST + b"\r\n",
    "no_version": b"GET /a\r\n\r\n",
    "other_version": b"GET /a HTTP/1.2\r\n" + HOST + b"\r\n",
    "nul_in_header": b"GET /a HTTP/1.1\r\nX: a\x00b\r\n" + HOST + b"\r\n",
    "handshake_and_frame": HANDSHAKE + FRAME,
    "handshake_without_key": HANDSHAKE.replace(b"Sec-WebSocket-Key", b"X-Key"),
    "handshake_of_another_version": HANDSHAKE.replace(b"Version: 13", b"Version: 12"),
    "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 2,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_h01_to_h10_ambiguous_framing_is_refused_and_nothing_after_it_served(serving: Start, data: bytes) -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(data)
        response = await closed(reader)
        writer.close()

    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert re.search(rb"(?mi)^connection: close\r?$", head)
    assert re.search(rb"(?m)^x-request-id: \w+\r?$", head)
    assert json.loads(body)["error"]["code"] == "invalid_framing"
    assert "/smuggled" not in served.application.requests


async def sent(writer: asyncio.StreamWriter, data: bytes, pieces: int) -> None:
    """Write it in about so many pieces, between which others have their turn."""
    size = max(1, len(data) // pieces)
    for start in range(0, len(data), size):
        writer.write(data[start : start + size])
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
async def test_h06_a_folded_line_is_seen_however_it_is_cut(serving: Start, pieces: int) -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        await sent(writer, REFUSED["h06_folded"], pieces)
        assert (await closed(reader)).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_h07_an_upgrade_to_h2c_is_ignored(serving: Start) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(b"GET /a HTTP/1.1\r\n" + HOST + upgrade + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize(
    "head",
    [b"X: " + b"a" * 70_000 + b"\r\n", b"X: y\r\n" * 20_000],
    ids=["one_long_header", "many_headers"],
)
@pytest.mark.parametrize("end", [b"\r\n", b""], ids=["complete", "without_end"])
async def test_h13_a_head_beyond_the_limit_is_refused(serving: Start, head: bytes, end: bytes) -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(b"GET /a HTTP/1.1\r\n" + HOST + head + end)
        response = await closed(reader)
        writer.close()

    assert response.startswith(b"HTTP/1.1 431") or not response  # a reset may overtake the answer
    assert served.application.requests == []


async def test_pipelined_requests_are_answered_in_order(serving: Start) -> None:
    first = post(b"Content-Length: 1", body=b"1")
    second = post(b"Content-Length: 1", b"Connection: close", body=b"2")
    async with serving() as served:
        response = await served.exchange(first + second)

    assert re.findall(rb"last \d", response) == [b"last 1", b"last 2"]


@pytest.mark.parametrize("pieces", [1, 2, 100])
async def test_an_empty_line_before_a_request_is_skipped(serving: Start, pieces: int) -> None:
    data = b"\r\n" + post(b"Content-Length: 1", body=b"1") + b"\r\n" + post(b"Content-Length: 1", body=b"2")
    data += post(b"Connection: close", b"Content-Length: 1", body=b"3")
    async with serving() as served:
        reader, writer = await served.connect()
        await sent(writer, data, pieces)
        assert re.findall(rb"last \d", await closed(reader)) == [b"last 1", b"last 2", b"last 3"]
        writer.close()


@pytest.mark.parametrize("before", [b"\r\n\r\n", b"\n", b"\r"])
def test_h06_h11_is_to_skip_nothing_else(before: bytes) -> None:
    connection = StrictConnection(1000)
    connection.receive_data(before + SMUGGLED)
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_client_of_http10_is_never_told_to_continue(serving: Start, version: bytes) -> None:
    head = post(b"Expect: 100-continue", b"Connection: close", b"Content-Length: 1")
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(head.replace(b"HTTP/1.1", b"HTTP/" + version, 1))
        if told := version == b"1.1":
            assert (await asyncio.wait_for(reader.readline(), AT_ONCE_S)).startswith(b"HTTP/1.1 100")
        else:
            await until(lambda: served.application.requests == ["/a"])
        writer.write(b"1")
        response = await closed(reader)
        writer.close()

    assert b"last 1" in response
    assert response.startswith(b"HTTP/1.1 200") is not told


async def test_chunks_with_a_short_extension_are_read(serving: Start) -> None:
    data = b"POST /a HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n" + HOST
    async with serving() as served:
        response = await served.exchange(data + b"\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    assert b"last abcde" in response


@pytest.mark.parametrize("data", [post(b"Connection: close"), REFUSED["h06_bare_lf"]], ids=["answered", "refused"])
async def test_every_response_has_one_date(serving: Start, data: bytes) -> None:
    async with serving() as served:
        response = await served.exchange(data)

    (date,) = re.findall(rb"(?mi)^date: (.*)\r$", response)
    assert abs(parsedate_to_datetime(date.decode()).timestamp() - time.time()) < 60


async def test_a_stream_over_http10_ends_with_its_connection(serving: Start) -> None:
    async with serving() as served:
        served.application.go_on.set()
        response = await served.exchange(b"GET /stream HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")

    head, _, body = response.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert re.search(rb"(?mi)^connection: close\r?$", head)
    assert body == b"first last "


async def test_no_response_names_the_server(serving: Start) -> None:
    async with serving() as served:
        response = await served.exchange(post(b"Connection: close"))

    assert b"\r\nserver:" not in response.lower()
