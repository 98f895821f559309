"""Hostile bodies through the whole gateway: reliability H20 to H24, H26, H30 to H34."""

from __future__ import annotations

import json

import pytest

from sentinel_core.dialects.openai_chat.steering import REFUSED_FIELDS
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import CHAT, KEY, chat, chat_body, chat_server, encoded
from tests.server.serving import RUNNERS
from tests.server.wire import request
from tests.upstream import Upstream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


def raw(body: bytes) -> bytes:
    """A chat request with exactly this body."""
    return request(CHAT, method="POST", body=body)


def around(value: bytes) -> bytes:
    """A chat body with this value in a field that nobody knows."""
    return b'{"model":"m","messages":[{"role":"user","content":"x"}],"x":' + value + b"}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(around(b"[" * 64 + b"]" * 64), id="65_in_an_unknown_field"),
        pytest.param(b"[" * 1000 + b"]" * 1000, id="1000"),
        pytest.param(b"[" * 100_000, id="100000_never_closed"),
        pytest.param(around(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), id="100000_in_objects"),
    ],
)
async def test_h20_a_body_that_nests_too_deeply_is_refused(runner: str, upstream: Upstream, body: bytes) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(raw(body))
        assert (answer.status, answer.code) == (400, "json_too_deep")
        assert (await wire.ask(chat())).status == 200
        assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(around(b"[" + b"{}," * 2_000_000 + b"{}]"), id="two_million_objects"),
        pytest.param(around(b"{" + b",".join(b'"%d":0' % n for n in range(600_000)) + b"}"), id="many_keys"),
    ],
)
async def test_h21_a_body_of_too_many_values_is_refused(runner: str, upstream: Upstream, body: bytes) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(raw(body))
        assert (answer.status, answer.code) == (413, "request_too_large")
        assert upstream.requests == []


async def test_h22_of_repeated_keys_the_upstream_sees_only_what_was_inspected(runner: str, upstream: Upstream) -> None:
    repeated = b'"model":"evil","model":"m","stream":true,"stream":false,"messages":[]'
    body = b"{" + repeated + b',"messages":[{"role":"user","content":"x"}]}'
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(raw(body))
        if answer.status == 200:
            sent = upstream.requests[0].body
            assert sent.count(b'"model"') == sent.count(b'"messages"') == 1
            assert b"evil" not in sent
        else:
            assert answer.status == 400


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(around(b'"\xff"'), id="invalid_utf_8"),
        pytest.param(around(b'"\\ud800"'), id="lone_surrogate"),
        pytest.param(around(b'"\x00"'), id="raw_nul"),
        pytest.param(b"\xef\xbb\xbf" + around(b"1"), id="bom"),
        pytest.param(around(b"[1,]"), id="trailing_comma"),
        pytest.param(around(b"NaN"), id="nan"),
        pytest.param(around(b"Infinity"), id="infinity"),
        pytest.param(around(b"1e400"), id="1e400"),
        pytest.param(around(b"1" * 5000), id="5000_digits"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no_object"),
        pytest.param(around(b"1") + b"x", id="trailing_text"),
    ],
)
async def test_h23_a_body_that_is_no_json_is_refused(runner: str, upstream: Upstream, body: bytes) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(raw(body))
        assert answer.status == 400
        assert answer.json["error"]["type"] == "invalid_request_error"
        assert upstream.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": -1},
        {"max_tokens": 1_000_000_000},
        {"max_tokens": "10"},
        {"max_tokens": True},
        {"max_completion_tokens": 1e9},
        {"n": 1_000_000},
        {"temperature": 1e308},
        {"stop": ["x"] * 10_000},
        {"logprobs": "all"},
        {"top_logprobs": 1_000},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_h24_numbers_out_of_range_are_refused(runner: str, upstream: Upstream, fields: dict[str, object]) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(CHAT, method="POST", body=encoded(chat_body() | fields)))
        assert answer.status == 400
        assert answer.json["error"]["param"] == next(iter(fields))
        assert upstream.requests == []


async def test_h26_a_body_over_the_cap_never_reaches_the_upstream(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, max_body_bytes=1000) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat("x" * 1000))
        assert (answer.status, answer.code) == (413, "request_too_large")
        assert upstream.requests == []


CANARY = "canary-7f3a"


@pytest.mark.parametrize("field", sorted(REFUSED_FIELDS))
async def test_h30_fields_that_steer_a_gateway_are_refused(runner: str, upstream: Upstream, field: str) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(CHAT, method="POST", body=encoded(chat_body() | {field: CANARY})))
        assert answer.status == 400
        assert CANARY not in answer.body.decode()
        assert upstream.requests == []


@pytest.mark.parametrize("key", ["disable_guardrails", "guardrails.disable", "DISABLE", "gateway:disable-log"])
async def test_h30_metadata_that_asks_to_switch_something_off_is_refused(
    runner: str, upstream: Upstream, key: str
) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(metadata={"a": "b", key: "true"}))
        assert (answer.status, answer.code) == (400, "unsupported_parameter")
        assert answer.json["error"]["param"] == "metadata"
        assert (await wire.ask(chat(metadata={"disabled_users": "1"}))).status == 200
        assert len(upstream.requests) == 1


async def test_h30_nothing_of_the_clients_headers_and_query_reaches_the_upstream(
    runner: str, upstream: Upstream
) -> None:
    names = (
        *("X-API-Base", "Base-URL", "Api-Key", "Organization", "OpenAI-Organization", "Custom-Host", "Extra-Headers"),
        *("Proxy", "Mock-Response", "Cache-Control", "No-Log", "Guardrails", "Timeout", "Fallbacks", "Cookie"),
        *("X-Sentinel-Target", "X-Forwarded-For", "X-Forwarded-Host", "User-Agent"),
    )
    headers = tuple(f"{name}: {CANARY}" for name in names)
    target = f"{CHAT}?api_base={CANARY}&key={CANARY}"
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        own = f"Authorization: Bearer {CANARY}"
        answer = await wire.ask(chat(headers=(*headers, own), target=target))
        assert answer.status == 200
        sent = upstream.requests[0]
        assert CANARY.encode() not in sent.raw
        assert sent.header("authorization") == f"Bearer {KEY}"
        assert KEY not in str(answer)


async def test_c43_the_gateways_own_fields_stay_here(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(session_id=CANARY, template_id=CANARY))
        assert answer.status == 200
        assert CANARY.encode() not in upstream.requests[0].raw


@pytest.mark.parametrize("text", ["os.environ/SECRET", "${SECRET}", "{{7*7}}", "file:///etc/passwd", "vault:secret/x"])
async def test_h31_text_that_means_something_elsewhere_is_text(runner: str, upstream: Upstream, text: str) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        assert (await wire.ask(chat(text, user=text))).status == 200
        sent = json.loads(upstream.requests[0].body)
        assert (sent["messages"][0]["content"], sent["user"]) == (text, text)


@pytest.mark.parametrize("model", ["../admin", "gpt-4\r\nX-A: b", "x" * 10_000, "\u202egpt", "\x1b[2J", "nobody"])
async def test_h32_a_model_that_nobody_serves_is_404_and_logged_escaped(
    runner: str, upstream: Upstream, model: str
) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat(model=model))
            assert (answer.status, answer.code) == (404, "model_not_found")
            line = str(await lines.next())
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 2000
        assert json.loads(line)["status"] == 404
        assert upstream.requests == []


@pytest.mark.parametrize("model", ["evil#", "evil?x=1", "a/../b", "//evil.example", "m@evil.example#"])
async def test_h33_a_model_that_would_bend_a_url_is_refused_though_any_model_is_served(
    runner: str, upstream: Upstream, model: str
) -> None:
    async with chat_server(upstream, runner=runner, models=()) as (served, _), served.connect() as wire:
        assert (await wire.ask(chat(model=model))).status == 404
        assert upstream.requests == []


@pytest.mark.parametrize("model", ["m@evil.example", "http:evil.example/"])
async def test_h33_a_models_name_is_never_part_of_an_upstreams_address(
    runner: str, upstream: Upstream, model: str
) -> None:
    async with chat_server(upstream, runner=runner, models=()) as (served, _), served.connect() as wire:
        assert (await wire.ask(chat(model=model))).status == 200
        (asked,) = upstream.requests
        assert (asked.target, json.loads(asked.body)["model"]) == ("/v1/chat/completions", model)


@pytest.mark.parametrize("value", ["a\x1b[2J", '"}{"', "x" * 20_000])
async def test_h34_hostile_ids_users_and_metadata_forge_no_log_line(
    runner: str, upstream: Upstream, value: str
) -> None:
    header = (f"X-Request-ID: {value}",)
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        with access_lines() as lines:
            body = encoded(chat_body(user=value, metadata={"a": value}))
            answer = await wire.ask(request(CHAT, method="POST", headers=header, body=body))
            if answer.status == 400:  # llhttp takes no control characters, so nothing is logged here
                assert answer.code == "invalid_framing"
                return
            line = str(await lines.next())
        assert answer.headers["x-request-id"] != value
        assert json.loads(line)["id"] == answer.headers["x-request-id"]
        assert line.isprintable()
        assert value not in line
