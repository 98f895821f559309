"""The official OpenAI client against the gateway: what it reads, what it raises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from sentinel_core.json_types import TomlValue
from tests.server.gateway_fixture import chat_server
from tests.server.serving import RUNNERS
from tests.upstream import Close, Reply, Stream, Upstream, chat_stream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]  # the client's own types are narrower than its wire


@asynccontextmanager
async def sdk(upstream: Upstream, runner: str, **server: TomlValue) -> AsyncIterator[openai.AsyncOpenAI]:
    """A client of a served gateway that does not retry."""
    async with (
        chat_server(upstream, runner=runner, **server) as (served, _),
        openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="sk-own", max_retries=0) as client,
    ):
        yield client


async def test_a_completion(runner: str, upstream: Upstream) -> None:
    async with sdk(upstream, runner) as client:
        raw = await client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
        assert raw.parse().choices[0].message.content == "hello"
        assert raw.headers["x-request-id"]


async def test_a_stream(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("one ", "two", usage=True)))
    async with sdk(upstream, runner) as client:
        stream = await client.chat.completions.create(
            model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "one two"
    assert chunks[-1].usage is not None


async def test_a_stream_without_the_usage_chunk_nobody_asked_for(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("one", usage=True)))
    async with sdk(upstream, runner) as client:
        stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert upstream.requests[0].json["stream_options"] == {"include_usage": True}


async def test_models_with_and_without_a_slash(runner: str, upstream: Upstream) -> None:
    async with sdk(upstream, runner, models=("m", "org/m")) as client:
        assert [model.id async for model in client.models.list()] == ["m", "org/m"]
        assert (await client.models.retrieve("org/m")).id == "org/m"


async def test_a_broken_stream_raises(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Stream([*chat_stream("one", done=False, finish=None), Close()]))
    async with sdk(upstream, runner) as client:
        stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass
    assert caught.value.code == "upstream_stream_interrupted"


async def test_errors_become_the_clients_own_classes(runner: str, upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": {"message": "slow down"}}, 429, [("Retry-After", "2")]))
    async with sdk(upstream, runner) as client:
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model="m", messages=MESSAGES)
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="nobody", messages=MESSAGES)
    assert limited.value.response.headers["retry-after"] == "2"
    assert unknown.value.code == "model_not_found"
    assert unknown.value.request_id
