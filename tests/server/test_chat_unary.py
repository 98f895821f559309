"""`POST /v1/chat/completions`, unary, from a socket to the upstream's and back."""

from __future__ import annotations

import json
import re

import pytest

from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import chat, chat_body, chat_server
from tests.server.serving import RUNNERS
from tests.upstream import Reply, Reset, Upstream, completion

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


class Labels(Stage):
    """Sets response headers, good and bad ones."""

    name = "labels"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx.headers["x-sentinel-cache"] = "HIT"
        ctx.headers["x-sentinel-cost-usd"] = "0.25"
        ctx.headers["x-bad"] = "a\r\nx-smuggled: 1"
        ctx.headers["content-length"] = "7"


class Denies(Stage):
    """Refuses everything, with a header."""

    name = "denies"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx.headers["x-ratelimit-remaining-requests"] = "0"
        raise Refusal("rate_limit_exceeded", retry_after_s=3)


async def test_s0_10_a_chat_request_is_answered_with_the_upstreams_bytes(runner: str, upstream: Upstream) -> None:
    reply = json.dumps(completion("hello", extra={"z": 1, "a": 2}), indent=1).encode()
    upstream.script("m", Reply(reply))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat())
        assert (answer.status, answer.body) == (200, reply)
        assert answer.headers["content-type"] == "application/json"


async def test_s0_33_an_answer_carries_id_time_and_timing_per_stage(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, Labels, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(headers=("X-Request-ID: mine",)))
        assert answer.headers["x-request-id"] == "mine"
        assert re.fullmatch(r"\d+\.\d\dms", answer.headers["x-response-time"])
        spans = dict(span.split(";dur=") for span in answer.headers["server-timing"].split(", "))
        assert {"labels", "total"} <= spans.keys()
        assert all(float(milliseconds) >= 0 for milliseconds in spans.values())


async def test_headers_of_stages_leave_unless_they_are_none(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, Labels, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat())
        assert answer.headers["x-sentinel-cache"] == "HIT"
        assert "x-bad" not in answer.headers
        assert "x-smuggled" not in answer.headers
        assert answer.json["choices"]


@pytest.mark.parametrize(("configured", "header"), [(True, ()), (False, ("X-Sentinel-Extend: body",))])
async def test_s2_05_the_body_is_extended_where_somebody_asks(
    runner: str, upstream: Upstream, configured: bool, header: tuple[str, ...]
) -> None:
    server = chat_server(upstream, Labels, runner=runner, extend_body=configured)
    async with server as (served, _), served.connect() as wire:
        body = (await wire.ask(chat(headers=header))).json
        assert body["cached"] is True
        assert body["latency_ms"] > 0
        assert body["cost_usd"] == 0.25
        assert body["choices"][0]["message"]["content"] == "hello"


async def test_a_refusal_keeps_the_headers_that_stages_set(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, Denies, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat())
            assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
            assert answer.headers["retry-after"] == "3"
            assert answer.headers["x-ratelimit-remaining-requests"] == "0"
            record = await lines.next()
        assert (record.end, record.error, record.attempts) == ("PR", "rate_limit_exceeded", 0)
        assert upstream.requests == []


async def test_an_upstream_that_breaks_off_is_a_502_in_the_envelope(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reset())
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat())
            assert (answer.status, answer.code) == (502, "upstream_connection_reset")
            assert str(upstream.port) not in answer.body.decode()
            record = await lines.next()
        assert (record.end, record.provider) == ("SH", "up")


async def test_u18_an_upstreams_refusal_is_relayed_and_counts_as_complete(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": {"message": "prompt is too long", "type": "x", "code": "y"}}, 400))
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat())
            assert (answer.status, answer.json["error"]["message"]) == (400, "prompt is too long")
            assert (await lines.next()).end == "--"


async def test_the_access_record_tells_model_provider_and_attempts(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat("secret prompt"))
            record = await lines.next()
    assert (record.model, record.provider, record.attempts, record.stream) == ("m", "up", 1, False)
    assert (record.status, record.end, record.error) == (200, "--", None)
    assert record.bytes_in == len(json.dumps(chat_body("secret prompt"), separators=(",", ":")))
    assert record.bytes_out == len(answer.body)
    assert "secret" not in str(record)


async def test_many_requests_on_one_connection(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        for _ in range(5):
            assert (await wire.ask(chat())).status == 200
