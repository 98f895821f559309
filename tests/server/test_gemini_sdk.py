"""Official clients of both formats against a model of Gemini's: tools over two turns, guards, errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from sentinel_core.config import Secret, settings_from
from sentinel_core.context import Context
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Answer
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_server.app import asgi
from tests.server.serving import Served, serving
from tests.upstream import Reply, Stream, Upstream
from tests.upstream.gemini import GEMINI, candidate, event, function_call, reply, says, text

MODEL = "gemini-3.8-flash"
USER: Any = {"role": "user", "content": "hi"}  # the clients' own types are narrower than their wire
TOOL: JsonValue = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = function_call("weather", {"city": "Rome"}, id="c1", signature="Q2/+=")
SIGNED = text("one moment", thoughtSignature="T1/+=")


class Masking(Stage):
    """Masks a word wherever it stands; whole answers are all that it knows."""

    name = "masking"
    guard = True

    @hookimpl
    def on_response(self, ctx: Context, answer: Answer) -> Answer:
        texts = {slot.path: slot.text.replace("moment", "[X]") for slot in answer.texts() if "moment" in slot.text}
        return answer.with_texts(texts)


@asynccontextmanager
async def gemini_server(upstream: Upstream, *stages: type[Stage]) -> AsyncIterator[Served]:
    registry = Registry()
    for stage in stages:
        registry.register(stage)
    settings = settings_from(
        {
            "providers": {
                "gemini": {"base_url": upstream.base_url, "api_key": Secret("key", "TEST"), "models": [MODEL]}
            },
            "models": [{"name": MODEL, "targets": [{"provider": "gemini"}]}],
            "stages": {stage.name: {} for stage in stages},
            "chain": {"stages": [stage.name for stage in stages]},
        }
    )
    gateway = Gateway(settings, registry=registry)
    async with gateway, serving(asgi(gateway)) as served:
        yield served


def gpt(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="sk-own", max_retries=0)


def claude(served: Served) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=served.url, api_key="sk-own", max_retries=0)


def say(upstream: Upstream, *, stream: bool) -> None:
    """A call of a tool, whole or in chunks, then an answer."""
    parts = [text("hm", thought=True), SIGNED, CALL]
    if stream:
        first = Stream([*(says(part) for part in parts), says(text(""), finish="STOP")])
        upstream.script(MODEL, first, Stream([says(text("hot"), finish="STOP")]))
    else:
        hot = Reply(reply(candidate(text("hot"), finish="STOP")))
        upstream.script(MODEL, Reply(reply(candidate(*parts, finish="STOP"))), hot)


async def asked(client: openai.AsyncOpenAI, messages: list[JsonValue], *, stream: bool) -> JsonValue:
    """The assistant's message as a client of OpenAI's format keeps it."""
    if not stream:
        answer = await client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
        return answer.choices[0].message.model_dump(exclude_none=True)
    async with client.chat.completions.stream(model=MODEL, messages=messages, tools=[TOOL]) as events:
        final = await events.get_final_completion()
    return final.choices[0].message.model_dump(exclude_none=True)


RESULT: JsonValue = {"role": "tool", "tool_call_id": "c1", "content": "hot"}
SENT_RESULT = {
    "role": "user",
    "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": {"output": "hot"}}}],
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("stages", "shown"), [((), "one moment"), ((Masking,), "one [X]")])
async def test_openais_client_sends_signatures_back_as_it_got_them(
    upstream: Upstream, stages: tuple[type[Stage], ...], shown: str, stream: bool
) -> None:
    say(upstream, stream=stream)
    async with gemini_server(upstream, *stages) as served, gpt(served) as client:
        message = await asked(client, [USER], stream=stream)
        last = await asked(client, [USER, message, RESULT], stream=stream)
    assert (message["content"], message["reasoning_content"], last["content"]) == (shown, "hm", "hot")
    assert upstream.requests[1].json["contents"] == [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [{**SIGNED, "text": shown}, CALL]},
        SENT_RESULT,
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropics_client_cannot_keep_signatures_and_the_documented_stand_in_is_sent(
    upstream: Upstream, stream: bool
) -> None:
    say(upstream, stream=stream)
    tool: JsonValue = {"name": "weather", "input_schema": {"type": "object"}}
    fields: JsonValue = {"model": MODEL, "max_tokens": 9, "tools": [tool]}
    async with gemini_server(upstream) as served, claude(served) as client:
        if stream:
            async with client.messages.stream(messages=[USER], **fields) as events:
                first: anthropic.types.Message = await events.get_final_message()
        else:
            first = await client.messages.create(messages=[USER], **fields)
        assert [block.type for block in first.content] == ["thinking", "text", "tool_use"]
        assert (first.stop_reason, first.model) == ("tool_use", "gemini-upstream")
        replayed: JsonValue = {"role": "assistant", "content": [block.model_dump() for block in first.content]}
        result: JsonValue = {"type": "tool_result", "tool_use_id": "c1", "content": "hot"}
        await client.messages.create(messages=[USER, replayed, {"role": "user", "content": [result]}], **fields)
    assert upstream.requests[1].json["contents"][1:] == [
        {
            "role": "model",
            "parts": [text("one moment"), {**CALL, "thoughtSignature": "skip_thought_signature_validator"}],
        },
        SENT_RESULT,
    ]


async def test_counts_come_at_the_end_of_a_stream_for_who_asked(upstream: Upstream) -> None:
    async with gemini_server(upstream) as served, gpt(served) as client:
        options: JsonValue = {"include_usage": True}
        events = await client.chat.completions.create(model=MODEL, messages=[USER], stream=True, stream_options=options)
        chunks = [chunk async for chunk in events]
    counts = [chunk.usage.total_tokens for chunk in chunks if chunk.usage is not None]
    assert (counts, chunks[-1].choices) == ([5], [])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "hello"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_blocked_prompt_is_a_bad_request_of_both_clients(upstream: Upstream, stream: bool) -> None:
    blocked = reply(promptFeedback={"blockReason": "SAFETY"})
    upstream.script(MODEL, Stream([event(blocked)]) if stream else Reply(blocked))
    async with gemini_server(upstream) as served, gpt(served) as one, claude(served) as other:
        with pytest.raises(openai.BadRequestError) as refused:
            await one.chat.completions.create(model=MODEL, messages=[USER], stream=stream)
        with pytest.raises(anthropic.BadRequestError):
            await other.messages.create(model=MODEL, max_tokens=9, messages=[USER], stream=stream)
    assert refused.value.code == "content_filter"


async def test_an_error_within_a_stream_raises_with_openais_client(upstream: Upstream) -> None:
    upstream.script(MODEL, Stream([says(text("one")), GEMINI.midstream_error("The model is overloaded.")]))
    async with gemini_server(upstream) as served, gpt(served) as client:
        events = await client.chat.completions.create(model=MODEL, messages=[USER], stream=True)
        with pytest.raises(openai.APIError, match="overloaded"):
            async for _ in events:
                pass


@pytest.mark.parametrize("name", ["../admin", "m\r\nX-A: b", "x" * 10_000, "gemini-3.8-flash:countTokens"])
async def test_h32_a_model_that_nobody_serves_is_not_found_and_nothing_is_sent(upstream: Upstream, name: str) -> None:
    async with gemini_server(upstream) as served, gpt(served) as client:
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model=name, messages=[USER])
    assert upstream.requests == []
