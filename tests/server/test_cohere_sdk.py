"""Official clients of both vendors in a conversation with Cohere's API, which neither speaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue
from sentinel_server.app import asgi
from tests.server.serving import Served, serving
from tests.upstream import Reply, Stream, Upstream
from tests.upstream.api import COUNTED, Call, Said
from tests.upstream.cohere import COHERE, block, call, citation, cited, ending, opening, plan

MODEL = "command-a-reasoning-08-2025"
ASKED: Any = [{"role": "user", "content": "Is it hot in Rome?"}]  # the clients' own types are narrower than their wire
PARAMETERS: JsonValue = {"type": "object", "properties": {"city": {"type": "string"}}}
CALLED = {"id": "w_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
SAID = Said("I look.", "hm", [Call("w_1", "weather", {"city": "Rome"})], "tool_calls", COUNTED)
TURN = {"role": "assistant", "tool_calls": [CALLED], "tool_plan": "I look."}
RESULT = {"role": "tool", "tool_call_id": "w_1", "content": "hot"}


@asynccontextmanager
async def cohere_server(upstream: Upstream) -> AsyncIterator[Served]:
    table = {"base_url": upstream.base_url.removesuffix("/v1"), "api_key": Secret("co-key", "TEST_KEY")}
    async with (
        Gateway(settings_from({"providers": {"cohere": table}})) as gateway,
        serving(asgi(gateway), "hypercorn") as served,
    ):
        yield served


def gpt(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="sk-own", max_retries=0)


def claude(served: Served) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=served.url, api_key="sk-own", max_retries=0)


async def test_openais_client_calls_a_tool_and_sends_back_what_it_got(upstream: Upstream) -> None:
    upstream.script(MODEL, Reply(COHERE.answer(SAID)), Reply(COHERE.answer(Said("Yes."))))
    tools: JsonValue = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]
    async with cohere_server(upstream) as served, gpt(served) as client:
        first = await client.chat.completions.create(model=MODEL, messages=ASKED, tools=tools)
        history: JsonValue = [*ASKED, first.choices[0].message.model_dump(exclude_none=True), RESULT]
        second = await client.chat.completions.create(model=MODEL, messages=history, tools=tools)
    assert (first.choices[0].finish_reason, second.choices[0].message.content) == ("tool_calls", "Yes.")
    assert upstream.requests[1].json["messages"] == [
        *ASKED,
        {**TURN, "content": [{"type": "thinking", "thinking": "hm"}]},
        RESULT,
    ]


async def test_openais_client_puts_a_stream_together(upstream: Upstream) -> None:
    parts = [*block(0, "thinking", "h", "m"), *plan("I ", "look."), *call(0, "w_1", "weather", '{"city"', ': "Rome"}')]
    quotes = [*cited(0, "hot"), *cited(1, "Rome")]
    upstream.script(MODEL, Stream([opening(), *parts, *quotes, ending("TOOL_CALL", COUNTED)]))
    async with (
        cohere_server(upstream) as served,
        gpt(served) as client,
        client.chat.completions.stream(model=MODEL, messages=ASKED, stream_options={"include_usage": True}) as stream,
    ):
        whole = await stream.get_final_completion()
    said = whole.choices[0].message
    assert (said.content, said.model_extra and said.model_extra["reasoning_content"]) == ("I look.", "hm")
    assert said.tool_calls is not None
    assert json.loads(said.tool_calls[0].function.arguments) == {"city": "Rome"}
    own: JsonValue = said.model_extra["extra_content"]["cohere"] if said.model_extra else {}
    assert own["thinking"] is True
    assert [one["text"] for one in own["citations"]] == ["hot", "Rome"]
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (3, 2)


async def test_anthropics_client_calls_a_tool_and_sends_back_what_it_got(upstream: Upstream) -> None:
    upstream.script(MODEL, Stream(COHERE.stream(SAID).whole), Reply(COHERE.answer(Said("Yes."))))
    tools: JsonValue = [{"name": "weather", "input_schema": PARAMETERS}]
    async with cohere_server(upstream) as served, claude(served) as client:
        async with client.messages.stream(model=MODEL, max_tokens=99, messages=ASKED, tools=tools) as stream:
            first = await stream.get_final_message()
        turn: JsonValue = [one.model_dump(exclude_none=True) for one in first.content]
        result: JsonValue = [{"type": "tool_result", "tool_use_id": "w_1", "content": "hot"}]
        history: JsonValue = [*ASKED, {"role": "assistant", "content": turn}, {"role": "user", "content": result}]
        second = await client.messages.create(model=MODEL, max_tokens=99, messages=history, tools=tools)
    assert [one.type for one in first.content] == ["thinking", "text", "tool_use"]
    assert (first.stop_reason, second.content[0].type) == ("tool_use", "text")
    assert upstream.requests[1].json["messages"] == [
        *ASKED,
        {**TURN, "tool_calls": [{**CALLED, "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}]},
        RESULT,
    ]


async def test_both_clients_raise_when_the_generation_fails_in_its_middle(upstream: Upstream) -> None:
    upstream.script(MODEL, Stream([opening(), *block(0, "text", "a"), COHERE.midstream_error("broke")]))
    async with cohere_server(upstream) as served, gpt(served) as one, claude(served) as other:
        with pytest.raises(openai.APIError, match="broke"):
            async for _ in await one.chat.completions.create(model=MODEL, messages=ASKED, stream=True):
                pass
        with pytest.raises(anthropic.APIStatusError, match="broke"):
            async for _ in await other.messages.create(model=MODEL, max_tokens=9, messages=ASKED, stream=True):
                pass


def when_is_high_water(client: openai.OpenAI) -> None:
    tides = {"id": "tides", "data": {"text": "High water at Dover is at noon."}}
    answer = client.chat.completions.create(
        model="command-a-03-2025",
        messages=[{"role": "user", "content": "When is high water?"}],
        extra_body={"extra_content": {"cohere": {"documents": [tides]}}},
    )
    said: Any = answer.choices[0].message  # with a field that OpenAI does not know
    print(said.content)
    for quote in said.extra_content["cohere"]["citations"]:
        print(quote["text"], "rests on", [source["id"] for source in quote["sources"]])


async def test_documents_go_there_and_citations_come_back(
    upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = COHERE.answer(Said("At noon."))
    answer["message"]["citations"] = [citation("noon", 3)]
    upstream.script("command-a-03-2025", Reply(answer))
    async with cohere_server(upstream) as served:
        client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="sk-own")
        await asyncio.to_thread(when_is_high_water, client)
        client.close()
    assert upstream.requests[0].json["documents"][0]["id"] == "tides"
    assert capsys.readouterr().out == "At noon.\nnoon rests on ['doc:0']\n"


async def test_s2_20_a_model_of_the_catalogue_is_asked_of_cohere(upstream: Upstream) -> None:
    async with cohere_server(upstream) as served, gpt(served) as client:
        await client.chat.completions.create(model="command-light", messages=ASKED)
    assert (upstream.requests[0].target, upstream.requests[0].json["model"]) == ("/v2/chat", "command-light")
