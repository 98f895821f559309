"""Requests beyond a limit, over real sockets: who asks is pointed to the place, and nothing reaches a provider."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, JsonValue, TomlValue
from sentinel_core.registry import Registry
from sentinel_plugins.input_limits.stage import InputLimits
from sentinel_server.app import asgi
from tests.plugins.input_limits.bodies import LIMITS
from tests.server.gateway_fixture import tables
from tests.server.serving import serving
from tests.server.wire import Answer, request
from tests.upstream import Upstream

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
SAID = {"role": "user", "content": "hello"}
BODIES: dict[str, JsonObject] = {
    CHAT: {"messages": [SAID]},
    MESSAGES: {"messages": [SAID], "max_tokens": 5},
    f"{MESSAGES}/count_tokens": {"messages": [SAID]},
    "/v1/responses": {"input": [SAID]},
    "/v1/completions": {"prompt": "hello"},
    "/v1/embeddings": {"input": ["hello"]},
}
FIELDS = {CHAT: "messages", "/v1/responses": "input", "/v1/completions": "prompt", "/v1/embeddings": "input"}


@asynccontextmanager
async def limited(upstream: Upstream, **table: TomlValue) -> AsyncIterator[Callable[..., Awaitable[Answer]]]:
    """A served gateway with small limits, as a function from a path and members of a body to its answer."""
    settings = tables(upstream, InputLimits)
    settings["stages"][InputLimits.name] = {**LIMITS, **table}
    gateway = Gateway(settings_from(settings), registry=Registry())
    async with gateway, serving(asgi(gateway)) as served, served.connect() as wire:

        async def ask(path: str, **fields: JsonValue) -> Answer:
            body = {"model": "m", **BODIES[path], **fields}
            return await wire.ask(request(path, method="POST", body=json.dumps(body).encode()))

        yield ask


@pytest.mark.parametrize("path", BODIES)
async def test_s4_47_a_text_that_is_too_long_reaches_no_provider_over_any_route(upstream: Upstream, path: str) -> None:
    name = FIELDS.get(path, "messages")
    text = "x" * 13
    said = [{"role": "user", "content": text}] if isinstance(BODIES[path][name], list) and name != "input" else text
    async with limited(upstream) as ask:
        answer = await ask(path, **{name: said})
    assert answer.status == 400
    assert name in answer.json["error"]["message"]
    assert "x-should-retry" in answer.headers
    assert upstream.requests == []


async def test_openais_clients_are_told_the_place_as_a_parameter(upstream: Upstream) -> None:
    async with limited(upstream) as ask:
        answer = await ask(CHAT, messages=[SAID, {"role": "user", "content": " "}])
        assert (answer.status, answer.code, answer.json["error"]["param"]) == (
            400,
            "invalid_parameter",
            "messages[1].content",
        )
        assert (await ask(CHAT, stream=True, n=3)).json["error"]["param"] == "n"
        assert upstream.requests == []
        assert (await ask(CHAT, n=2)).status == 200


async def test_anthropics_clients_are_told_the_place_in_the_message(upstream: Upstream) -> None:
    async with limited(upstream) as ask:
        answer = await ask(MESSAGES, messages=[SAID, {"role": "user", "content": " "}])
        assert (answer.status, answer.json["type"]) == (400, "error")
        assert answer.json["error"]["type"] == "invalid_request_error"
        assert "'messages[1].content'" in answer.json["error"]["message"]
        assert "'max_tokens' is 101; at most 100" in (await ask(MESSAGES, max_tokens=101)).json["error"]["message"]
        assert upstream.requests == []
        assert (await ask(MESSAGES)).status == 200


async def test_what_was_lowered_is_sent_and_named_in_a_header(upstream: Upstream) -> None:
    async with limited(upstream, on_excess="clamp") as ask:
        for path, lowered in ((CHAT, "max_tokens, n"), (MESSAGES, "max_tokens")):
            answer = await ask(path, max_tokens=10**8, **({"n": 128} if path == CHAT else {}))
            assert (answer.status, answer.headers.get("x-sentinel-clamped-params")) == (200, lowered)
        assert "x-sentinel-clamped-params" not in (await ask(CHAT, max_tokens=5)).headers
    sent = [json.loads(received.body) for received in upstream.requests]
    assert [body.get("max_tokens") or body.get("max_completion_tokens") for body in sent] == [100, 100, 5]
    assert sent[0]["n"] == 2
