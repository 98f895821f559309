"""Bodies at the edge, over real sockets: reliability H25, H26, C08, C09, and answers that come before the body."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.edge_fixture import access_lines, edge
from tests.server.serving import RUNNERS
from tests.server.wire import request

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

CAP = 1000


def chunked(body: bytes) -> bytes:
    """The body as one chunk and the end."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/json; charset=utf-7",
        "application/json; charset=utf-8; charset=utf-7",
        "multipart/form-data; boundary=" + "-" * 1000,
        "application/x-www-form-urlencoded",
        "",
    ],
)
async def test_h25_a_body_that_is_not_json_in_utf_8_is_refused(runner: str, kind: str) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        answer = await wire.ask(request(method="POST", headers=(f"Content-Type: {kind}",), body=b"{}"))
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
        assert inner.bodies == []


async def test_h25_a_body_without_a_content_type_is_refused(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert answer.status == 415


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity"])
async def test_h25_a_compressed_body_is_refused_unread(runner: str, coding: str) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        answer = await wire.ask(request(method="POST", headers=(f"Content-Encoding: {coding}",), body=b"{}"))
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
        assert inner.bodies == []


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"']
)
async def test_h25_json_in_utf_8_passes(runner: str, kind: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(method="POST", headers=(f"Content-Type: {kind}",), body=b"{}"))
        assert answer.json == {"read": 2}


@pytest.mark.parametrize("as_chunks", [False, True])
async def test_h26_a_body_of_exactly_the_cap_passes(runner: str, as_chunks: bool) -> None:
    async with edge(runner, max_body_bytes=CAP) as (served, _), served.connect() as wire:
        headers = ("Transfer-Encoding: chunked",) if as_chunks else ()
        body = b"x" * CAP
        answer = await wire.ask(request(method="POST", headers=headers, body=chunked(body) if as_chunks else body))
        assert answer.json == {"read": CAP}


@pytest.mark.parametrize("as_chunks", [False, True])
async def test_h26_one_byte_over_the_cap_is_refused_with_and_without_a_length(runner: str, as_chunks: bool) -> None:
    async with edge(runner, max_body_bytes=CAP) as (served, inner), served.connect() as wire:
        headers = ("Transfer-Encoding: chunked",) if as_chunks else ()
        body = b"x" * (CAP + 1)
        answer = await wire.ask(request(method="POST", headers=headers, body=chunked(body) if as_chunks else body))
        assert (answer.status, answer.code) == (413, "request_too_large")
        assert inner.bodies == []


async def test_h26_a_length_over_the_cap_is_refused_before_the_body_comes(runner: str) -> None:
    async with edge(runner, max_body_bytes=CAP) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(method="POST", headers=(f"Content-Length: {10**12}",), body=b""))
        assert answer.status == 413
        assert answer.headers["connection"] == "close"


async def test_h26_an_early_answer_is_not_lost_while_the_client_is_still_sending(runner: str) -> None:
    async with edge(runner, max_body_bytes=CAP) as (served, _), served.connect() as wire:
        body = b"x" * (4 * 1024 * 1024)  # more than all socket buffers on the way
        answer = await wire.ask(request(method="POST", body=body))
        assert answer.status == 413
        assert await wire.closed()


@pytest.mark.parametrize("limits", [{"body_timeout_s": 0.1}, {"request_timeout_s": 0.1}])
async def test_c08_a_body_that_does_not_come_is_answered_408_and_the_connection_closed(
    runner: str,
    limits: dict[str, Any],  # fields of ServerSettings
) -> None:
    async with edge(runner, **limits) as (served, inner), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(request(method="POST", headers=("Content-Length: 10",), body=b"{"))
            assert (answer.status, answer.code) == (408, "request_timeout")
            assert answer.headers["x-should-retry"] == "false"
            assert await wire.closed()
            assert (await lines.next()).end == "cB"
        assert inner.bodies == []


async def test_c09_a_body_that_ends_early_reaches_nobody_and_is_no_server_error(runner: str) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        with access_lines() as lines:
            await wire.send(request(method="POST", headers=("Content-Length: 10",), body=b"{"))
            wire.writer.write_eof()
            record = await lines.next()
        assert (record.end, record.status, record.error) == ("CB", 400, "incomplete_body")
        assert inner.bodies == []


async def test_a_connection_goes_on_after_a_request_that_was_read(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        for _ in range(3):
            assert (await wire.ask(request(method="POST", body=b"{}"))).status == 200
