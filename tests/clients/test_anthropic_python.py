"""Anthropic's client for Python: its helpers, the classes of its errors, and what it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import pytest

from sentinel_core.json_types import JsonValue
from tests.clients.scenes import USE, scene_server
from tests.server.serving import RUNNERS
from tests.upstream import Stall, Stream, Upstream
from tests.upstream.anthropic import opening, text_block

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]  # the client's own types are narrower than its wire
TOOL: JsonValue = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
ASKED: dict[str, Any] = {"max_tokens": 9, "messages": MESSAGES}  # keyword arguments of the client's calls


@asynccontextmanager
async def client_of(runner: str) -> AsyncIterator[tuple[anthropic.AsyncAnthropic, Upstream]]:
    """A client as it comes, with its own retries."""
    async with (
        scene_server(runner) as (served, upstream),
        anthropic.AsyncAnthropic(base_url=served.url, api_key="sk-own") as client,
    ):
        yield client, upstream


async def test_the_stream_helper_tells_what_happens(runner: str) -> None:
    async with (
        client_of(runner) as (client, _),
        client.messages.stream(model="claude-tools-streamed", tools=[TOOL], **ASKED) as stream,
    ):
        kinds = {event.type async for event in stream}
        answer = await stream.get_final_message()
    assert {"text", "input_json", "content_block_stop", "message_stop"} <= kinds
    assert answer.content[1].to_dict() == USE


async def test_a_tools_result_goes_back_and_gets_an_answer(runner: str) -> None:
    async with client_of(runner) as (client, upstream):
        first = await client.messages.create(model="claude-run", tools=[TOOL], **ASKED)
        result: JsonValue = {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "hot"}],
        }
        talk = [*MESSAGES, {"role": "assistant", "content": first.content}, result]
        last = await client.messages.create(model="claude-run", max_tokens=9, messages=talk, tools=[TOOL])
        sent = upstream.requests[1].json["messages"]
    assert last.content[0].to_dict() == {"type": "text", "text": "It is hot."}
    assert (sent[1]["content"], sent[2]) == ([USE], result)


async def test_the_beta_half_reaches_the_same_route(runner: str) -> None:
    async with client_of(runner) as (client, upstream):
        answer = await client.beta.messages.create(model="claude-good", betas=["some-beta"], **ASKED)
    assert answer.content[0].to_dict() == {"type": "text", "text": "hello"}
    assert upstream.requests[0].target == "/v1/messages"


async def test_a_response_that_is_read_line_by_line_names_every_event(runner: str) -> None:
    async with client_of(runner) as (client, _):
        create = client.messages.with_streaming_response.create
        async with create(model="claude-silent", stream=True, **ASKED) as response:
            assert response.headers["request-id"] == response.request_id
            lines = [line async for line in response.iter_lines()]
    assert ": keep-alive" in lines
    assert {line.partition(" ")[0] for line in lines} == {"event:", "data:", "", ":"}
    assert len([line for line in lines if line.startswith("event:")]) == len(
        [line for line in lines if line.startswith("data:")]
    )


@pytest.mark.parametrize("model", ["claude-silent", "silent"])
async def test_keep_alive_comments_are_not_seen(runner: str, model: str) -> None:
    async with client_of(runner) as (client, _), client.messages.stream(model=model, **ASKED) as stream:
        assert await stream.get_final_text() == "onetwo"


@pytest.mark.parametrize(
    ("model", "error", "status", "kind", "tries"),
    [
        ("nobody", anthropic.NotFoundError, 404, "not_found_error", 1),
        ("overlong", anthropic.BadRequestError, 400, "invalid_request_error", 1),
        ("claude-limited", anthropic.RateLimitError, 429, "rate_limit_error", 3),
        ("limited", anthropic.RateLimitError, 429, "rate_limit_error", 3),
        ("limited-long", anthropic.RateLimitError, 429, "rate_limit_error", 1),
        ("budget", anthropic.RateLimitError, 429, "rate_limit_error", 1),
        ("claude-overloaded", anthropic.InternalServerError, 503, "overloaded_error", 3),
        ("down", anthropic.InternalServerError, 502, "api_error", 3),
    ],
)
async def test_an_error_has_its_class_its_type_and_as_many_tries_as_the_gateway_advises(
    runner: str,
    waits: list[float],
    model: str,
    error: type[anthropic.APIStatusError],
    status: int,
    kind: str,
    tries: int,
) -> None:
    async with client_of(runner) as (client, _):
        with pytest.raises(error) as caught:
            await client.messages.create(model=model, **ASKED)
    raised = caught.value
    body: Any = raised.body  # the client knows no type for it
    assert (raised.status_code, body["error"]["type"], 1 + len(waits)) == (status, kind, tries)
    assert raised.response.headers["x-should-retry"] == ("true" if tries > 1 else "false")
    assert raised.request_id == body["request_id"] == raised.response.headers["request-id"]


@pytest.mark.parametrize(("model", "text"), [("claude-broken", "one"), ("claude-reported", "one"), ("cut", "one two")])
async def test_u09_a_stream_that_breaks_raises_after_what_came_before(runner: str, model: str, text: str) -> None:
    said: list[str] = []

    async def hear() -> None:
        async with client.messages.stream(model=model, **ASKED) as stream:
            async for part in stream.text_stream:
                said.append(part)

    async with client_of(runner) as (client, upstream):
        with pytest.raises(anthropic.APIStatusError) as caught:
            await hear()
    body: Any = caught.value.body  # as above
    assert ("".join(said), body["error"]["type"]) == (text, "api_error")
    assert len(upstream.requests) == 1


async def test_the_synchronous_client_streams_and_raises_the_same(runner: str) -> None:
    def ask(url: str) -> tuple[str, list[int]]:
        statuses = []
        with anthropic.Anthropic(base_url=url, api_key="sk-own", max_retries=0) as client:
            with client.messages.stream(model="claude-good", **ASKED) as stream:
                text = stream.get_final_text()
            for model, streamed in (("nobody", False), ("claude-limited", False), ("claude-broken", True)):
                with pytest.raises(anthropic.APIStatusError) as caught:
                    list(client.messages.create(model=model, stream=streamed, **ASKED))
                statuses.append(caught.value.status_code)
        return text, statuses

    async with scene_server(runner) as (served, _):
        assert await asyncio.to_thread(ask, served.url) == ("hello", [404, 429, 200])


async def test_c02_a_stream_that_is_left_ends_the_upstreams(runner: str) -> None:
    async with client_of(runner) as (client, upstream):
        upstream.script("claude-good", Stream([opening(), *text_block(0, "one")[:-1], Stall()]))
        async with client.messages.stream(model="claude-good", **ASKED) as stream:
            assert await anext(aiter(stream.text_stream)) == "one"
        await upstream.closed()
