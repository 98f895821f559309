"""Limits and costs as a client sees them: headers, error objects, and the cost in a body and at the end of a stream."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sentinel_core.chain.exchange import Exchange
from sentinel_core.config import load_settings, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlValue
from sentinel_server.app import asgi
from sentinel_server.banner import render
from tests.server.gateway_fixture import chat, encoded
from tests.server.serving import Served, serving
from tests.server.wire import request

PRICES = '[[models]]\nid = "echo/m"\nprovider = "echo"\ninput_usd = 1.0\noutput_usd = 10.0\nmax_output_tokens = 50\n'
EXTEND = ("X-Sentinel-Extend: body",)


@asynccontextmanager
async def limited(tmp_path: Path, **table: TomlValue) -> AsyncIterator[Served]:
    """A server whose only stage is `rate_limit`, in front of `echo` with a price."""
    prices = tmp_path / "models.toml"
    prices.write_text(PRICES, "utf-8")
    settings = settings_from(
        {
            "providers": {"echo": {"kind": "echo", "models": ["m"]}},
            "catalogue": {"file": str(prices)},
            "stages": {"rate_limit": table},
        }
    )
    async with Gateway(settings) as gateway, serving(asgi(gateway)) as served:
        yield served


def payloads(body: bytes) -> list[JsonValue]:
    lines = body.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


async def test_s4_01_streamed_cost_is_unary_cost_in_header_body_and_last_chunk(tmp_path: Path) -> None:
    async with limited(tmp_path) as served, served.connect() as wire:
        plain = await wire.ask(chat("Hello"))
        whole = await wire.ask(chat("Hello", headers=EXTEND))
        usage = whole.json["usage"]
        cost = (usage["prompt_tokens"] * 1.0 + usage["completion_tokens"] * 10.0) / 1_000_000
        assert "cost_usd" not in plain.json
        assert whole.json["cost_usd"] == float(whole.headers["x-sentinel-cost-usd"]) == cost > 0
        asked = chat("Hello", headers=EXTEND, stream=True, stream_options={"include_usage": True})
        chunks = payloads((await wire.ask(asked)).body)
        assert [chunk["cost_usd"] for chunk in chunks if "cost_usd" in chunk] == [cost]
        assert chunks[-1]["usage"] is not None
    async with limited(tmp_path) as served, served.connect() as wire:
        chunks = payloads((await wire.ask(chat("Hello", headers=EXTEND, stream=True))).body)
        assert not any("cost_usd" in chunk or chunk.get("usage") for chunk in chunks), "nobody asked for the usage"


async def test_s4_01_anthropics_clients_find_the_cost_beside_their_usage(tmp_path: Path) -> None:
    body = {"model": "m", "max_tokens": 20, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    async with limited(tmp_path) as served, served.connect() as wire:
        answer = await wire.ask(request("/v1/messages", method="POST", headers=EXTEND, body=encoded(body)))
        costed = [event for event in payloads(answer.body) if "cost_usd" in event]
        assert [event["type"] for event in costed] == ["message_delta"]
        assert costed[0]["cost_usd"] > 0


async def test_s4_01_in_a_stream_of_responses_the_cost_is_in_the_response_that_it_ends_with(tmp_path: Path) -> None:
    body = {"model": "m", "input": "Hello"}
    async with limited(tmp_path) as served, served.connect() as wire:
        ask = [
            request("/v1/responses", method="POST", headers=EXTEND, body=encoded({**body, "stream": stream}))
            for stream in (False, True)
        ]
        whole = await wire.ask(ask[0])
        events = payloads((await wire.ask(ask[1])).body)
        cost = whole.json["cost_usd"]
        assert cost > 0
        assert (events[-1]["type"], events[-1]["response"]["cost_usd"]) == ("response.completed", cost)
        assert not any("cost_usd" in event or "cost_usd" in event.get("response", {}) for event in events[:-1])


async def test_s0_24_s0_26_a_429_has_advice_headers_and_details(tmp_path: Path) -> None:
    async with limited(tmp_path, max_requests=1) as served, served.connect() as wire:
        first, second = await wire.ask(chat()), await wire.ask(chat())
        assert (first.status, first.headers["x-ratelimit-remaining"]) == (200, "0")
        assert (second.status, second.code) == (429, "rate_limit_exceeded")
        assert (second.headers["x-should-retry"], second.headers["x-ratelimit-limit"]) == ("true", "1")
        assert 1 <= int(second.headers["retry-after"]) <= 60
        assert 59_000 < int(second.headers["retry-after-ms"]) <= 60_000
        assert second.json["error"]["details"]["limit"] == 1
        assert second.json["error"]["type"] == "rate_limit_error"


async def test_c_27_a_budget_that_is_used_up_is_not_worth_a_retry(tmp_path: Path) -> None:
    async with limited(tmp_path, address={"daily_usd": 0.0001}) as served, served.connect() as wire:
        refused = await wire.ask(chat(max_tokens=50))
        assert (refused.status, refused.code, refused.json["error"]["type"]) == (429, *["insufficient_quota"] * 2)
        assert refused.headers["x-should-retry"] == "false"
        assert "retry-after" not in refused.headers
        details = refused.json["error"]["details"]
        assert (details["limit"], details["remaining"], details["period"]) == (0.0001, 0.0001, "day")
        assert (await wire.ask(chat(max_tokens=details["largest_request"]["max_output_tokens"]))).status == 200


async def test_c_37_routes_without_limits_have_no_headers_of_limits(tmp_path: Path) -> None:
    async with limited(tmp_path) as served, served.connect() as wire:
        for target in ("/v1/models", "/health/live"):
            answer = await wire.ask(request(target))
            assert answer.status == 200
            assert not [name for name in answer.headers if "ratelimit" in name]


def test_without_a_file_limits_and_books_are_in_the_chain_and_in_the_banner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gateway = Gateway(load_settings(environ={}))
    names = [row.name for row in gateway.chain.rows()]
    assert names[:5] == ["metrics", "audit", "usage", "auth", "rate_limit"]
    shown = render(gateway, "http://127.0.0.1:8000", color=False)
    assert all(name in shown for name in names)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (100, 60.0)),
        ({"RATE_LIMIT_MAX_REQUESTS": "7"}, (7, 60.0)),
        ({"RATE_LIMIT_REQUESTS": "8", "RATE_LIMIT_WINDOW_SECONDS": "30"}, (8, 30.0)),
        ({"RATE_LIMIT_MAX_REQUESTS": "9", "RATE_LIMIT_REQUESTS": "9"}, (9, 60.0)),
        ({"SENTINEL__STAGES__RATE_LIMIT__REQUESTS_PER_MINUTE": "50"}, (50, 60.0)),
    ],
)
def test_c_11_the_names_of_the_source_systems_set_the_default(
    environ: dict[str, str], expected: tuple[int, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gateway = Gateway(load_settings(environ=environ))
    (plan,) = [plan for plan in gateway.blueprint.chain.stages if plan.name == "rate_limit"]
    (rate,) = plan.config.client().rates()  # type: ignore[attr-defined]  # the stage's own Config
    assert (rate.limit, rate.period_s) == expected


def test_c_11_two_names_that_differ_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match="RATE_LIMIT_MAX_REQUESTS and RATE_LIMIT_REQUESTS set the same thing"):
        load_settings(environ={"RATE_LIMIT_MAX_REQUESTS": "1", "RATE_LIMIT_REQUESTS": "2"})


async def test_l05_a_refused_request_leaves_nothing_to_the_garbage_collector(tmp_path: Path) -> None:
    """While that works, everybody waits."""
    async with limited(tmp_path, max_requests=1) as served, served.connect() as wire:
        await wire.ask(chat("Hello"))
        gc.collect()
        gc.disable()
        try:
            before = exchanges()
            assert [(await wire.ask(chat("Hello"))).status for _ in range(20)] == [429] * 20
            assert exchanges() <= before + 1, "the last one may still be on its way"
        finally:
            gc.enable()


def exchanges() -> int:
    """How many there are, those of other tests included."""
    return sum(type(one) is Exchange for one in gc.get_objects())
