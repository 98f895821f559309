"""LangChain's `ChatOpenAI`: a client of OpenAI's client, with defaults of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from tests.clients.scenes import CALL, failing, failing_message, scene_server
from tests.server.serving import RUNNERS
from tests.upstream import Upstream

# Heavy, so it comes with the extra `dev` and not with `test`; without a static import its types are unknown here.
REASON = 'no langchain-openai here: pip install -e ".[dev]"'
langchain: Any = pytest.importorskip("langchain_openai", reason=REASON)  # as above
core: Any = pytest.importorskip("langchain_core.exceptions", reason=REASON)  # as above

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

TOKENS = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


@asynccontextmanager
async def model_of(runner: str, name: str, **settings: Any) -> AsyncIterator[tuple[Any, Upstream]]:  # ChatOpenAI's
    """A chat model and the upstream behind the gateway."""
    async with scene_server(runner) as (served, upstream):
        yield langchain.ChatOpenAI(model=name, base_url=f"{served.url}/v1", api_key="sk-own", **settings), upstream


def weather(city: str) -> str:
    """How it is there."""
    return f"hot in {city}"


def seen(message: Any) -> dict[str, int]:  # a message, or the sum of its chunks
    return {name: message.usage_metadata[name] for name in TOKENS}


async def test_a_message_with_its_usage(runner: str) -> None:
    async with model_of(runner, "good") as (model, _):
        message = await model.ainvoke("hi")
        again = await asyncio.to_thread(model.invoke, "hi")
    assert message.content == again.content == "hello"
    assert seen(message) == seen(again) == TOKENS


@pytest.mark.parametrize("asked", [None, True])
async def test_a_stream_has_the_usage_that_was_asked_for(runner: str, asked: bool | None) -> None:
    async with model_of(runner, "usage", stream_usage=asked) as (model, upstream):
        chunks = [chunk async for chunk in model.astream("hi")]
        again = await asyncio.to_thread(lambda: list(model.stream("hi")))
    for parts in (chunks, again):
        assert "".join(part.content for part in parts) == "one two"
        assert [seen(part) for part in parts if part.usage_metadata] == ([TOKENS] if asked else [])
    assert [request.json["stream_options"] for request in upstream.requests] == [{"include_usage": True}] * 2


async def test_keep_alive_comments_are_not_seen(runner: str) -> None:
    async with model_of(runner, "silent") as (model, _):
        assert "".join([chunk.content async for chunk in model.astream("hi")]) == "onetwo"


@pytest.mark.parametrize("name", ["tools", "tools-streamed"])
async def test_a_bound_tool_is_called(runner: str, name: str) -> None:
    async with model_of(runner, name, streaming=name == "tools-streamed") as (model, upstream):
        message = await model.bind_tools([weather]).ainvoke("hi")
    (call,) = message.tool_calls
    assert (call["name"], call["args"], call["id"]) == ("weather", {"city": "Rome"}, CALL["id"])
    assert upstream.requests[0].json["tools"][0]["function"]["name"] == "weather"


async def test_a_structured_answer_is_parsed(runner: str) -> None:
    schema = {"title": "City", "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with model_of(runner, "structured") as (model, upstream):
        assert await model.with_structured_output(schema).ainvoke("hi") == {"city": "Rome"}
    assert upstream.requests[0].json["response_format"]["json_schema"]["name"] == "City"


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("good", failing(400, None, "Input tokens exceed the configured limit of 8 tokens.")),
        ("claude-good", failing_message(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")),
    ],
)
async def test_u18_a_prompt_that_is_too_long_is_recognised_by_its_words(
    runner: str,
    name: str,
    scene: Any,  # of one of two kinds
) -> None:
    async with model_of(runner, name) as (model, upstream):
        upstream.script(name, scene)
        with pytest.raises(core.ContextOverflowError):
            await model.ainvoke("hi")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("name", "kind", "tries"),
    [
        ("nobody", "ModelNotFoundError", 1),
        ("limited", "ModelRateLimitError", 3),
        ("budget", "ModelRateLimitError", 1),
        ("down", "ModelAPIError", 3),
    ],
)
async def test_an_error_has_its_class_and_is_tried_again_as_the_gateway_advises(
    runner: str, waits: list[float], name: str, kind: str, tries: int
) -> None:
    async with model_of(runner, name) as (model, _):
        with pytest.raises(getattr(core, kind)):
            await model.ainvoke("hi")
    assert 1 + len(waits) == tries


async def test_u09_a_stream_that_breaks_raises_after_what_came_before(runner: str) -> None:
    said: list[str] = []

    async def hear() -> None:
        async for chunk in model.astream("hi"):
            said.append(chunk.content)

    async with model_of(runner, "cut") as (model, _):
        with pytest.raises(openai.APIError, match="broke off its answer"):
            await hear()
    assert "".join(said) == "one two"
