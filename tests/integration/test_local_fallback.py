"""The network is gone and the model on one's own machine answers: from OpenAI's API to Ollama's, end to end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable
from sentinel_server.app import asgi
from tests.server.serving import serving
from tests.upstream import Received, Reply, Reset, Stream, Upstream, chat_stream
from tests.upstream.api import Call, Said
from tests.upstream.ollama import OLLAMA

STAGES: TomlTable = {"health": {}, "routing": {}, "retry": {"base_delay_s": 0.01}, "breaker": {}}
MESSAGES = [{"role": "user", "content": "hi"}]


class Scene(NamedTuple):
    """A client of a served gateway in front of both."""

    session: aiohttp.ClientSession
    openai: Upstream
    ollama: Upstream


def asked(upstream: Upstream) -> Received:
    """The one chat that arrived, among looks at its health."""
    (request,) = (request for request in upstream.requests if request.method == "POST")
    return request


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """OpenAI's API, which a test may let fail, then Ollama's, in tables of these names."""
    async with Upstream() as openai, Upstream() as ollama:
        targets = [{"provider": "openai"}, {"provider": "ollama", "model": "llama3.2"}]
        tables = {
            "providers": {"openai": {"base_url": openai.base_url}, "ollama": {"base_url": ollama.root}},
            "models": [{"name": "best", "targets": targets}],
            "stages": STAGES,
        }
        gateway = Gateway(settings_from(tables))
        async with gateway, serving(asgi(gateway)) as served, aiohttp.ClientSession(served.url) as session:
            yield Scene(session, openai, ollama)


async def test_s3_05_s3_09_chat_without_a_model_fails_over_to_the_local_one() -> None:
    async with scene() as (session, openai, ollama):
        async with session.post("/api/chat", json={"messages": MESSAGES, "max_tokens": 9}) as response:
            first = await response.json()
        openai.script(None, Reset())
        async with session.post("/api/chat", json={"messages": MESSAGES, "max_tokens": 9}) as response:
            second = await response.json()
    assert (first["provider_used"], first["failover_occurred"]) == ("openai", False)
    assert (second["provider_used"], second["model"], second["failover_chain"]) == ("ollama", "llama3.2", ["openai"])
    assert (second["response_text"], second["tokens_used"]) == ("hello", 5)
    sent = asked(ollama)
    assert (sent.target, sent.json["model"], sent.json["options"]) == ("/api/chat", "llama3.2", {"num_predict": 9})


async def test_s3_09_a_completion_fails_over_with_tools_and_says_what_the_local_model_was_not_told() -> None:
    said = Said("", calls=[Call("", "w", {"city": "Rome"})], finish="tool_calls")
    tool = {"type": "function", "function": {"name": "w", "parameters": {"type": "object", "properties": {}}}}
    body = {"model": "best", "messages": MESSAGES, "tools": [tool], "tool_choice": "required"}
    async with scene() as (session, openai, ollama):
        openai.script("best", Reply({"error": {"message": "down"}}, 503))
        ollama.script("llama3.2", Reply(OLLAMA.answer(said)))
        async with session.post("/v1/chat/completions", json=body) as response:
            (choice,) = (await response.json())["choices"]
            headers = response.headers
            assert response.status == 200
    assert (headers["x-sentinel-provider"], headers["x-sentinel-dropped-params"]) == ("ollama", "tool_choice")
    (call,) = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Rome"}
    assert (choice["finish_reason"], bool(call["id"])) == ("tool_calls", True)
    assert asked(ollama).json["tools"] == [tool]


@pytest.mark.parametrize("route", ["/v1/chat/completions", "/v1/messages"])
async def test_s3_09_a_stream_that_has_said_nothing_fails_over_in_the_clients_own_form(route: str) -> None:
    body = {"model": "best", "messages": MESSAGES, "stream": True, "max_tokens": 9}
    async with scene() as (session, openai, ollama):
        openai.script("best", Stream([*chat_stream(done=False, finish=None), Reset()]))
        wire = OLLAMA.stream(Said("hello from here")).whole
        ollama.script("llama3.2", Stream(wire, content_type=OLLAMA.content_type))
        async with session.post(route, json=body) as response:
            text = await response.text()
            assert response.status == 200
    assert "hello f" in text
    assert "rom here" in text
    ends = {"/v1/chat/completions": "data: [DONE]\n\n", "/v1/messages": 'data: {"type":"message_stop"}\n\n'}
    assert text.endswith(ends[route])


async def test_s3_09_a_model_that_nobody_pulled_is_told_in_ollamas_words() -> None:
    words = 'model "llama3.2" not found, try pulling it first'
    async with scene() as (session, openai, ollama):
        openai.script("best", Reply({"error": {"message": "down"}}, 503))
        ollama.script("llama3.2", Reply(OLLAMA.error(404, words), 404))
        async with session.post("/v1/chat/completions", json={"model": "best", "messages": MESSAGES}) as response:
            error = (await response.json())["error"]
            assert response.status == 404
    assert (error["code"], error["message"]) == ("model_not_found", words)
