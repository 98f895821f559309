"""What every response carries, and what every failure looks like: reliability 2.0, 0.8, 0.15, H34."""

from __future__ import annotations

import logging
import re

import pytest
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from sentinel_core.errors import Refusal, StageFault, UpstreamError
from sentinel_server.edge import Transaction
from tests.pace import PATIENCE_S
from tests.server.edge_fixture import Life, access_lines, edge
from tests.server.serving import RUNNERS
from tests.server.wire import HANDSHAKE, Answer, request

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


def assert_common_headers(answer: Answer) -> None:
    """Those that no response lacks."""
    assert re.fullmatch(r"[A-Za-z0-9_.:-]{1,128}", answer.headers["x-request-id"])
    assert re.fullmatch(r"\d+\.\d\dms", answer.headers["x-response-time"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("target", ["/", "//"])
async def test_s0_33_every_response_has_an_id_a_time_and_security_headers(runner: str, target: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        assert_common_headers(await wire.ask(request(target)))


async def test_s0_32_the_response_time_is_in_milliseconds(runner: str) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        tx = Transaction.of(scope)
        tx.started -= 3
        await tx.answer(200, b"{}")

    async with edge(runner, app=slow) as (served, _), served.connect() as wire:
        answer = await wire.ask(request())
        shown_ms = float(answer.headers["x-response-time"].removesuffix("ms"))
        assert 3_000 <= shown_ms < 3_000 + 1_000 * PATIENCE_S


@pytest.mark.parametrize("given", ["a", "A-1_b.c:d", "x" * 128])
async def test_s0_31_a_harmless_request_id_is_taken_over(runner: str, given: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(headers=(f"X-Request-ID: {given}",)))
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'x"}{"', "\x1b[2J", "é"])
async def test_h34_any_other_request_id_is_replaced(runner: str, given: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(headers=(f"X-Request-ID: {given}",)))
        assert answer.headers.get("x-request-id", "") != given


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (Refusal("rate_limit_exceeded", retry_after_s=1.2), 429, {"retry-after": "2", "retry-after-ms": "1200"}),
        (Refusal("overloaded", retry_after_s=0), 503, {"retry-after": "1", "retry-after-ms": "1"}),
        (StageFault("pii", "on_request", guard=True), 503, {"retry-after": "1", "x-should-retry": "true"}),
        (UpstreamError("rate_limit_exceeded"), 429, {"x-should-retry": "true"}),
        (UpstreamError("rate_limit_exceeded", retry_after_s=121), 429, {"x-should-retry": "false"}),
        (Refusal("insufficient_quota", retry_after_s=60), 429, {"x-should-retry": "false", "retry-after": "60"}),
        (UpstreamError("overloaded", wire_code="upstream_quota", should_retry=False), 503, {"x-should-retry": "false"}),
        (Refusal("model_not_found"), 404, {"x-should-retry": "false"}),
        (Refusal("invalid_api_key"), 401, {"x-should-retry": "false", "www-authenticate": "Bearer"}),
        (ValueError("secret detail"), 500, {"x-should-retry": "true"}),
    ],
)
async def test_errors_carry_the_envelope_and_the_retry_advice(
    runner: str, error: Exception, status: int, expected: dict[str, str]
) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        inner.raises = error
        answer = await wire.ask(request())
        assert answer.status == status
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers.items() >= expected.items()
        assert ("retry-after" in answer.headers) == ("retry-after" in expected)
        assert ("www-authenticate" in answer.headers) == ("www-authenticate" in expected)
        assert b"secret detail" not in answer.body
        assert answer.code
        assert_common_headers(answer)


async def test_0_8_an_exception_after_the_head_ends_the_response_in_order(runner: str) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        raise ValueError("too late")

    async with edge(runner, app=broken) as (served, _), served.connect() as wire:
        answer = await wire.ask(request())
        assert (answer.status, answer.body) == (200, b"begun")


async def test_while_draining_requests_are_refused_and_connections_closed(runner: str) -> None:
    async with edge(runner, life=Life(draining=True)) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(request())
            assert (answer.status, answer.code) == (503, "draining")
            assert answer.headers["connection"] == "close"
            assert answer.headers["retry-after"] == "1"
            assert (await lines.next()).end == "LR"


async def test_a_response_that_starts_during_the_drain_closes_its_connection(runner: str) -> None:
    life = Life()

    async def meanwhile(scope: Scope, receive: Receive, send: Send) -> None:
        life.draining = True
        await Transaction.of(scope).answer(200, b"{}")

    async with edge(runner, life=life, app=meanwhile) as (served, _), served.connect() as wire:
        answer = await wire.ask(request())
        assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_before_the_gateway_is_open_requests_are_refused_and_told_why(runner: str) -> None:
    async with edge(runner, life=Life(started=False)) as (served, _), served.connect() as wire:
        answer = await wire.ask(request())
        assert (answer.status, answer.code) == (503, "not_started")
        assert "async with gateway" in answer.json["error"]["message"]


async def test_cors_headers_come_only_for_configured_origins(runner: str) -> None:
    async with edge(runner, cors_origins=("https://app.example.com",)) as (served, _):
        for origin, allowed in [("https://app.example.com", True), ("https://evil.example.com", False)]:
            async with served.connect() as wire:
                answer = await wire.ask(request(headers=(f"Origin: {origin}",)))
                assert (answer.headers.get("access-control-allow-origin") == origin) is allowed


async def test_s4_49_a_preflight_is_answered_for_configured_origins(runner: str) -> None:
    asks = ("Origin: https://a.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-a")
    async with edge(runner, cors_origins=("https://a.example",)) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(method="OPTIONS", headers=asks))
        assert answer.status == 204
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "x-a"
        assert answer.headers["access-control-allow-origin"] == "https://a.example"


async def test_without_configuration_there_are_no_cors_headers(runner: str) -> None:
    async with edge(runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(headers=("Origin: https://a.example",)))
        assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    ("raised", "error", "logged"), [(WebSocketDisconnect(1006), None, False), (ValueError(), "internal_error", True)]
)
async def test_a_socket_that_ends_with_its_client_is_no_failure(
    runner: str, raised: Exception, error: str | None, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise raised

    async with edge(runner, app=socket) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            await wire.send(request(headers=HANDSHAKE))
            record = await lines.next()
    assert (record.status, record.error) == (101, error)
    assert any(record.levelno >= logging.ERROR for record in caplog.records) is logged


@pytest.mark.parametrize(
    ("error", "status", "code", "expected"),
    [
        (Refusal("invalid_api_key"), 401, "invalid_api_key", {"www-authenticate": "Bearer", "x-should-retry": "false"}),
        (Refusal("rate_limit_exceeded", retry_after_s=2), 429, "rate_limit_exceeded", {"retry-after": "2"}),
        (ValueError("secret detail"), 500, "internal_error", {"x-should-retry": "true"}),
    ],
)
async def test_a_handshake_is_refused_as_any_request_is(
    runner: str, error: Exception, status: int, code: str, expected: dict[str, str]
) -> None:
    async with edge(runner) as (served, inner), served.connect() as wire:
        inner.raises = error
        with access_lines() as lines:
            answer = await wire.ask(request(headers=HANDSHAKE))
            record = await lines.next()
        assert (answer.status, answer.code) == (status, code)
        assert answer.headers.items() >= {**expected, "connection": "close"}.items()
        assert b"secret detail" not in answer.body
        assert_common_headers(answer)
        assert await wire.closed()
        assert (record.status, record.error, record.bytes_out) == (status, code, len(answer.body))


async def test_a_draining_server_tells_a_handshake_to_come_back(runner: str) -> None:
    async with edge(runner, life=Life(draining=True)) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(headers=HANDSHAKE))
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "draining", "1")


async def test_h39_what_a_socket_says_after_its_end_is_in_no_log(runner: str, caplog: pytest.LogCaptureFixture) -> None:
    """The second close is refused by the server, and what is told of that must not tell of the failure before it."""

    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        raise ValueError("a secret")

    async with edge(runner, app=socket) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            await wire.send(request(headers=HANDSHAKE))
            assert (await lines.next()).error == "internal_error"
    assert "ValueError" in caplog.text
    assert "a secret" not in caplog.text
