"""What the edge makes of hostile heads, over real sockets: reliability H01 to H13."""

from __future__ import annotations

import pytest

from tests.server.edge_fixture import edge
from tests.server.serving import RUNNERS
from tests.server.wire import request

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

CHUNKED = "Transfer-Encoding: chunked"


async def test_h01_both_content_length_and_transfer_encoding_are_refused_and_the_connection_closed(runner: str) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        data = request(method="POST", headers=("Content-Length: 5", CHUNKED), body=b"0\r\n\r\n")
        answer = await wire.ask(data + request("/v1/smuggled"))
        assert (answer.status, answer.code) == (400, "invalid_framing")
        assert answer.headers["connection"] == "close"
        assert await wire.closed()
        assert inner.bodies == []


async def test_a_query_that_is_not_escaped_is_refused_with_what_would_work(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask("GET /v1/audit?user=Jürgen HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert (answer.status, answer.code) == (400, "invalid_framing")
        assert "must be percent-encoded" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(("Content-Length: 2", "Content-Length: 3"), id="h02_two_lengths"),
        pytest.param(("Content-Length: +5",), id="h03_signed_length"),
        pytest.param(("Content-Length: 0x5",), id="h03_hexadecimal_length"),
        pytest.param(("Content-Length: 5,6",), id="h03_list_of_lengths"),
        pytest.param(("Transfer-Encoding: identity, chunked",), id="h04_two_codings"),
        pytest.param(("Transfer-Encoding: xchunked",), id="h04_unknown_coding"),
    ],
)
async def test_h02_h03_h04_ambiguous_framing_is_refused_and_the_connection_closed(
    runner: str, headers: tuple[str, ...]
) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        answer = await wire.ask(request(method="POST", headers=headers, body=b"{}"))
        assert answer.status in (400, 501)
        assert answer.headers["connection"] == "close"
        assert await wire.closed()
        assert inner.bodies == []


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(b"", id="h08_no_host"),
        pytest.param(b"Host: localhost\r\nHost: localhost\r\n", id="h08_two_hosts"),
        *(
            pytest.param(b"Host: " + host + b"\r\n", id=f"h09_{index}")
            for index, host in enumerate([b"x/health?", b"x#", b"a@b", b"a\\b", b"x:port", b"[::1", b"x y"])
        ),
    ],
)
async def test_h08_h09_a_host_that_is_none_is_refused(runner: str, lines: bytes) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(b"GET /admin HTTP/1.1\r\n" + lines + b"\r\n")
        assert answer.status == 400


async def test_h09_only_configured_hosts_are_served(runner: str) -> None:
    async with edge(runner, allowed_hosts=("api.example.com", "*.example.org")) as (served, _):
        for host, status in [
            ("api.example.com", 200),
            ("API.example.com:8000", 200),
            ("a.example.org", 200),
            ("example.org", 400),
            ("evilexample.org", 400),
            ("localhost", 400),
        ]:
            async with served.connect() as wire:
                answer = await wire.ask(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                assert answer.status == status, host
                assert status == 200 or "allowed_hosts" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status"), [("/health/live", 200), ("/health/ready", 200), ("/health", 400), ("/health/live/x", 400)]
)
async def test_h09_probes_are_answered_by_address_as_well(runner: str, path: str, status: int) -> None:
    async with edge(runner, allowed_hosts=("api.example.com",)) as (served, _), served.connect() as wire:
        answer = await wire.ask(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n".encode())
        assert answer.status == status
        answer = await wire.ask(f"GET {path} HTTP/1.1\r\nHost: a b\r\n\r\n".encode())
        assert answer.status == 400


@pytest.mark.parametrize(
    "target",
    [
        "//v1/models",
        "/v1//models",
        "/v1/./models",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/%2E/admin",
        "/v1%2fmodels",
        "/v1%2Fmodels",
        "/v1%5cmodels",
        "/v1/models%00",
        "/v1/models%0d%0aX: y",
        "/v1/models;x",
        "/v1/models%3bx",
        "/v1/models%zz",
        "/v1/models%ff",
        "/v1/models/..%2fadmin",
        "/v1/models/a%2f%2e%2e%2fadmin",
        "/%61dmin/keys",
        "/v1/%6Dodels",
        "/v1/models/gpt%2D4",
        "/v1/models/gpt%34",
        "/v1/models/gpt-4%2E1",
        "/v1/models/a%5Fb",
        "/v1/models/a%7eb",
        "/v1/models#x",
        "/v1/models/%C3%A9#x",
        "http://localhost/v1/models",
    ],
)
async def test_h10_a_path_that_is_not_canonical_is_refused(runner: str, target: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(target.replace(" ", "")))
        assert answer.status in (400, 404)
        assert answer.code in ("invalid_path", "not_found", "invalid_framing")


@pytest.mark.parametrize(
    "target", ["/", "/v1/models", "/v1/models/", "/v1/models/a%2Fb:c@1%23", "/%C3%A9", "/a.b/.well"]
)
async def test_h10_canonical_paths_pass(runner: str, target: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        assert (await wire.ask(request(target))).status == 200


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
async def test_h11_other_methods_are_refused_with_the_ones_allowed(runner: str, method: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(method=method))
        assert answer.status in (400, 405)
        if answer.status == 405:
            assert "POST" in answer.headers["allow"]


async def test_h11_a_very_long_method_is_refused(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(method="A" * 8192))
        assert answer.status in (400, 405)


@pytest.mark.parametrize(
    "headers",
    [
        ("Authorization: Bearer a", "Authorization: Bearer b"),
        ("X-API-Key: a", "X-API-Key: a"),
        ("Authorization: Bearer a", "X-API-Key: b"),
    ],
)
async def test_h12_credentials_that_disagree_are_refused(runner: str, headers: tuple[str, ...]) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(headers=headers))
        assert (answer.status, answer.code) == (401, "invalid_api_key")


async def test_h12_the_same_credential_twice_passes(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        assert (await wire.ask(request(headers=("Authorization: Bearer a", "X-API-Key: a")))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(tuple(f"X-{number}: y" for number in range(100)), id="count"),
        pytest.param(tuple(f"X-{number}: {'y' * 4000}" for number in range(9)), id="size"),
    ],
)
async def test_h13_too_many_or_too_large_headers_are_refused(runner: str, headers: tuple[str, ...]) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(headers=headers))
        assert (answer.status, answer.code) == (431, "headers_too_large")


async def test_h13_as_many_headers_as_allowed_pass(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        headers = tuple(f"X-{number}: y" for number in range(99))
        assert (await wire.ask(request(headers=headers))).status == 200


@pytest.mark.parametrize("many", [True, False], ids=["too many", "repeated"])
async def test_after_a_head_that_is_refused_the_connection_says_that_it_closes(runner: str, many: bool) -> None:
    headers = tuple(f"X-{number}: y" for number in range(100)) if many else ("Content-Type: a/b", "Content-Type: c/d")
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(method="POST", headers=headers, body=b"{}"))
        assert answer.status == (431 if many else 400)
        assert answer.headers["connection"] == "close"
