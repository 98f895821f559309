"""The official OpenAI client's synchronous half, and tools, against the gateway of the first minute: `echo` alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_server.app import asgi
from tests.server.serving import RUNNERS, serving

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


MESSAGES: list[Any] = [{"role": "user", "content": "Hello, Sentinel"}]  # the client's own types are narrower
TOOLS: list[Any] = [  # as above
    {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
]


@asynccontextmanager
async def client_of(runner: str) -> AsyncIterator[openai.OpenAI]:
    """A synchronous client, to be used on a thread: the server has the loop."""
    async with Gateway(settings_from({})) as gateway, serving(asgi(gateway), runner) as served:
        with openai.OpenAI(base_url=f"{served.url}/v1", api_key="anything", max_retries=0) as client:
            yield client


async def test_the_synchronous_client_gets_an_answer_and_its_head(runner: str) -> None:
    async with client_of(runner) as client:
        create = client.chat.completions.with_raw_response.create
        raw = await asyncio.to_thread(create, model="echo", messages=MESSAGES)
        assert raw.parse().choices[0].message.content == "Hello, Sentinel"
        assert raw.headers["x-request-id"] == raw.request_id
        assert await asyncio.to_thread(lambda: [model.id for model in client.models.list()]) == ["echo"]


async def test_the_synchronous_client_streams(runner: str) -> None:
    def said(client: openai.OpenAI) -> list[str]:
        stream = client.chat.completions.create(model="echo", messages=MESSAGES, stream=True)
        return [chunk.choices[0].delta.content for chunk in stream if chunk.choices and chunk.choices[0].delta.content]

    async with client_of(runner) as client:
        assert await asyncio.to_thread(said, client) == ["Hello, ", "Sentinel"]


async def test_a_tool_is_called_whole_and_streamed(runner: str) -> None:
    def whole(client: openai.OpenAI) -> Any:  # the client's own type
        return client.chat.completions.create(
            model="echo", messages=MESSAGES, tools=TOOLS, tool_choice="required"
        ).choices[0]

    def streamed(client: openai.OpenAI) -> Any:  # as above
        asked = client.chat.completions.stream(model="echo", messages=MESSAGES, tools=TOOLS, tool_choice="required")
        with asked as stream:
            return stream.get_final_completion().choices[0]

    async with client_of(runner) as client:
        for ask in (whole, streamed):
            choice = await asyncio.to_thread(ask, client)
            assert choice.finish_reason == "tool_calls"
            assert [call.function.name for call in choice.message.tool_calls] == ["weather"]
