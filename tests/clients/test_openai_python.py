"""OpenAI's client for Python: its helpers, the classes of its errors, and what it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pydantic
import pytest

from tests.clients.scenes import CALL, OVERLONG, scene_server
from tests.server.serving import RUNNERS
from tests.upstream import USAGE, Stall, Stream, Upstream, chat_stream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]  # the client's own types are narrower than its wire
TOOLS: list[Any] = [  # as above
    {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
]
INCLUDE_USAGE: Any = {"include_usage": True}  # as above


class City(pydantic.BaseModel):
    city: str


@asynccontextmanager
async def client_of(runner: str) -> AsyncIterator[tuple[openai.AsyncOpenAI, Upstream]]:
    """A client as it comes, with its own retries."""
    async with (
        scene_server(runner) as (served, upstream),
        openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="sk-own") as client,
    ):
        yield client, upstream


async def test_the_stream_helper_tells_what_happens_and_puts_a_completion_together(runner: str) -> None:
    async with client_of(runner) as (client, _):
        asked = client.chat.completions.stream(
            model="tools-streamed", messages=MESSAGES, tools=TOOLS, stream_options=INCLUDE_USAGE
        )
        async with asked as stream:
            kinds = [event.type async for event in stream]
            completion = await stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds
    choice = completion.choices[0]
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].function.arguments == CALL["function"]["arguments"]
    assert completion.usage is not None
    assert completion.usage.to_dict() == USAGE


async def test_a_structured_answer_is_parsed_whole_and_streamed(runner: str) -> None:
    async with client_of(runner) as (client, upstream):
        whole = await client.chat.completions.parse(model="structured", messages=MESSAGES, response_format=City)
        async with client.chat.completions.stream(
            model="structured-streamed", messages=MESSAGES, response_format=City
        ) as stream:
            streamed = await stream.get_final_completion()
        sent = upstream.requests[0].json["response_format"]
    assert whole.choices[0].message.parsed == streamed.choices[0].message.parsed == City(city="Rome")
    assert (sent["type"], sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("json_schema", "City", True)


async def test_a_response_that_is_read_line_by_line_has_canonical_lines_only(runner: str) -> None:
    async with client_of(runner) as (client, _):
        create = client.chat.completions.with_streaming_response.create
        async with create(model="silent", messages=MESSAGES, stream=True) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert response.headers["x-request-id"] == response.request_id
            lines = [line async for line in response.iter_lines()]
    assert ": keep-alive" in lines
    assert {line.partition(" ")[0] for line in lines} == {"data:", "", ":"}
    assert [line for line in lines if line][-1] == "data: [DONE]"


async def test_keep_alive_comments_are_not_seen(runner: str) -> None:
    async with client_of(runner) as (client, _):
        stream = await client.chat.completions.create(model="silent", messages=MESSAGES, stream=True)
        texts = [chunk.choices[0].delta.content async for chunk in stream]
    assert texts == [None, "one", "two", None]


@pytest.mark.parametrize(
    ("model", "error", "status", "code", "tries"),
    [
        ("nobody", openai.NotFoundError, 404, "model_not_found", 1),
        ("overlong", openai.BadRequestError, 400, "context_length_exceeded", 1),
        ("limited", openai.RateLimitError, 429, "rate_limit_exceeded", 3),
        ("limited-long", openai.RateLimitError, 429, "rate_limit_exceeded", 1),
        ("budget", openai.RateLimitError, 429, "insufficient_quota", 1),
        ("quota", openai.InternalServerError, 503, "upstream_quota", 1),
        ("down", openai.InternalServerError, 502, "upstream_connection_reset", 3),
        ("html", openai.InternalServerError, 502, "upstream_invalid_response", 3),
    ],
)
async def test_an_error_has_its_class_its_code_and_as_many_tries_as_the_gateway_advises(
    runner: str,
    waits: list[float],
    model: str,
    error: type[openai.APIStatusError],
    status: int,
    code: str,
    tries: int,
) -> None:
    async with client_of(runner) as (client, _):
        with pytest.raises(error) as caught:
            await client.chat.completions.create(model=model, messages=MESSAGES)
    raised = caught.value
    assert (raised.status_code, raised.code, 1 + len(waits)) == (status, code, tries)
    assert raised.response.headers["x-should-retry"] == ("true" if tries > 1 else "false")
    assert raised.request_id == raised.response.headers["x-request-id"]


async def test_the_upstreams_words_and_wait_reach_the_client(runner: str, waits: list[float]) -> None:
    async with client_of(runner) as (client, upstream):
        answer = await client.chat.completions.create(model="limited-once", messages=MESSAGES)
        with pytest.raises(openai.BadRequestError, match=OVERLONG):
            await client.chat.completions.create(model="overlong", messages=MESSAGES)
    assert (answer.choices[0].message.content, waits) == ("at last", [0.02])
    assert [request.json["model"] for request in upstream.requests] == ["limited-once", "limited-once", "overlong"]


@pytest.mark.parametrize(
    ("model", "code", "text"),
    [
        ("broken", "upstream_stream_interrupted", "one two"),
        ("cut", "upstream_stream_interrupted", "one two"),
        ("reported", "upstream_error", "one"),
    ],
)
async def test_u09_a_stream_that_breaks_raises_after_what_came_before(
    runner: str, model: str, code: str, text: str
) -> None:
    said: list[str] = []

    async def hear() -> None:
        async for chunk in stream:
            said.append(chunk.choices[0].delta.content or "")

    async with client_of(runner) as (client, upstream):
        stream = await client.chat.completions.create(model=model, messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError) as caught:
            await hear()
    assert ("".join(said), caught.value.code, caught.value.type) == (text, code, "server_error")
    assert len(upstream.requests) == 1


async def test_the_synchronous_client_raises_the_same(runner: str) -> None:
    def ask(url: str) -> list[str | None]:
        codes = []
        with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-own", max_retries=0) as client:
            for model, streamed in (("nobody", False), ("limited", False), ("cut", True)):
                with pytest.raises(openai.APIError) as caught:
                    list(client.chat.completions.create(model=model, messages=MESSAGES, stream=streamed))
                codes.append(caught.value.code)
        return codes

    async with scene_server(runner) as (served, _):
        codes = await asyncio.to_thread(ask, served.url)
    assert codes == ["model_not_found", "rate_limit_exceeded", "upstream_stream_interrupted"]


async def test_c02_a_stream_that_is_left_ends_the_upstreams(runner: str) -> None:
    async with client_of(runner) as (client, upstream):
        upstream.script("good", Stream([*chat_stream("one", done=False, finish=None), Stall()]))
        async with await client.chat.completions.create(model="good", messages=MESSAGES, stream=True) as stream:
            assert (await anext(stream)).choices
        await upstream.closed()
