"""The official client's Responses API against upstreams that have chats only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import Refusal
from sentinel_core.events import Event, TextEvent
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonValue
from sentinel_core.stage import Stage
from sentinel_server.app import asgi
from tests.long_form import long_form
from tests.server.responses_fixture import (
    BOTH,
    CLAUDE,
    GEMINI,
    GPT,
    KEY,
    NATIVE,
    TOOL,
    responses_server,
    say,
    sdk,
    stream,
)
from tests.server.serving import RUNNERS, serving
from tests.server.test_operations import MASKS
from tests.upstream import Close, Reply, Stream, Upstream, chat_stream, completion
from tests.upstream.anthropic import message, opening, text_block
from tests.upstream.gemini import candidate, reply, says
from tests.upstream.payloads import response, response_stream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)
CHATS = pytest.mark.parametrize("model", [CLAUDE, GPT])


@CHATS
async def test_a_response_with_a_tool_call(runner: str, upstream: Upstream, model: str) -> None:
    say(upstream)
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        answer = await client.responses.create(model=model, input="hi", instructions="be kind", tools=[TOOL])
    assert (answer.output_text, answer.status, answer.instructions) == ("one", "completed", "be kind")
    call = answer.output[1]
    assert call.type == "function_call"
    assert (call.call_id, call.name, json.loads(call.arguments)) == ("call_1", "weather", {"city": "Rome"})
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (3, 2, 5)
    assert answer.usage.output_tokens_details.reasoning_tokens == answer.usage.input_tokens_details.cached_tokens == 0
    assert upstream.requests[0].target == ("/v1/messages" if model == CLAUDE else "/v1/chat/completions")


@CHATS
async def test_the_events_of_a_stream_and_the_response_that_ends_it(
    runner: str, upstream: Upstream, model: str
) -> None:
    stream(upstream, "o", "ne")
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        events = await client.responses.create(model=model, input="hi", tools=[TOOL], stream=True)
        found = [event async for event in events]
        say(upstream)
        whole = await client.responses.create(model=model, input="hi", tools=[TOOL])
    assert [event.sequence_number for event in found] == list(range(len(found)))
    assert [event.type for event in found if not event.type.endswith((".added", ".done"))] == [
        "response.created",
        "response.in_progress",
        *["response.output_text.delta"] * 2,
        *["response.function_call_arguments.delta"] * 2,
        "response.completed",
    ]
    last = found[-1]
    assert last.type == "response.completed"
    times: JsonValue = {"created_at": 0}
    assert last.response.model_copy(update=times) == whole.model_copy(update=times)


@long_form
@CHATS
async def test_the_stream_helper_puts_a_response_together(runner: str, upstream: Upstream, model: str) -> None:
    stream(upstream, "o", "ne")
    async with (
        responses_server(upstream, runner=runner) as served,
        sdk(served) as client,
        client.responses.stream(model=model, input="hi", tools=[TOOL]) as events,
    ):
        snapshots = [event.snapshot async for event in events if event.type == "response.output_text.delta"]
        answer = await events.get_final_response()
    assert (snapshots, answer.output_text) == (["o", "one"], "one")
    assert [item.type for item in answer.output] == ["message", "function_call"]


@CHATS
async def test_a_round_with_tools(runner: str, upstream: Upstream, model: str) -> None:
    say(upstream)
    history: list[JsonValue] = [{"role": "user", "content": "how hot is it?"}]
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        first = await client.responses.create(model=model, input=history, tools=[TOOL])
        history += [*first.output, {"type": "function_call_output", "call_id": "call_1", "output": "hot"}]
        upstream.script(CLAUDE, Reply(message("done")))
        upstream.script(GPT, Reply(completion("done")))
        last = await client.responses.create(model=model, input=history, tools=[TOOL])
    assert last.output_text == "done"
    sent: JsonValue = upstream.requests[1].json["messages"]
    if model == CLAUDE:
        assert sent[1]["content"][1] == {
            "type": "tool_use",
            "id": "call_1",
            "name": "weather",
            "input": {"city": "Rome"},
        }
        assert sent[2]["content"] == [{"type": "tool_result", "tool_use_id": "call_1", "content": "hot"}]
    else:
        assert [turn["role"] for turn in sent] == ["user", "assistant", "tool"]
        assert sent[1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_a_provider_signs_comes_back_to_it(runner: str, upstream: Upstream, streamed: bool) -> None:
    called = {"functionCall": {"name": "weather", "args": {"city": "Rome"}}, "thoughtSignature": "c2ln"}
    signed = reply(candidate(called, finish="STOP"))
    said = Stream([says(called, finish="STOP")]) if streamed else Reply(signed)
    upstream.script(None, said, Reply(reply(candidate({"text": "hot"}, finish="STOP"))))
    history: list[JsonValue] = [{"role": "user", "content": "how hot is it?"}]
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        if streamed:
            async with client.responses.stream(model=GEMINI, input=history, tools=[TOOL]) as events:
                first: Any = await events.get_final_response()  # of many kinds of items
        else:
            first = await client.responses.create(model=GEMINI, input=history, tools=[TOOL])
        call = first.output[0]
        history += [*first.output, {"type": "function_call_output", "call_id": call.call_id, "output": "hot"}]
        last = await client.responses.create(model=GEMINI, input=history, tools=[TOOL])
    assert last.output_text == "hot"
    sent: JsonValue = upstream.requests[1].json["contents"][1]["parts"][0]
    assert (sent["functionCall"]["name"], sent["thoughtSignature"]) == ("weather", "c2ln")


class City(openai.BaseModel):
    """What the model is to answer with."""

    name: str


async def test_a_response_in_a_form_that_the_client_parses(runner: str, upstream: Upstream) -> None:
    upstream.script(GPT, Reply(completion('{"name":"Rome"}')))
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        answer = await client.responses.parse(model=GPT, input="where?", text_format=City)
    assert answer.output_parsed == City(name="Rome")
    asked: JsonValue = upstream.requests[0].json["response_format"]
    assert (asked["type"], asked["json_schema"]["name"]) == ("json_schema", "City")


async def test_echo_answers_the_synchronous_client_without_a_key(runner: str) -> None:
    def ask(url: str) -> tuple[str, str]:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
            whole = client.responses.create(model="echo", input="one two")
            with client.responses.stream(model="echo", input="one two") as events:
                return whole.output_text, events.get_final_response().output_text

    gateway = Gateway(settings_from({}))
    async with gateway, serving(asgi(gateway), runner) as served:
        assert await asyncio.to_thread(ask, served.url) == ("one two", "one two")


async def _note_kinds(events: Any, kinds: list[str]) -> None:  # the client's own stream
    async for event in events:
        kinds.append(event.type)


@CHATS
async def test_u09_a_translated_stream_that_breaks_off_raises(runner: str, upstream: Upstream, model: str) -> None:
    upstream.script(CLAUDE, Stream([opening(), *text_block(0, "one"), Close()]))
    upstream.script(GPT, Stream([*chat_stream("one", done=False, finish=None), Close()]))
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        events = await client.responses.create(model=model, input="hi", stream=True)
        kinds: list[str] = []
        with pytest.raises(openai.APIError) as caught:
            await _note_kinds(events, kinds)
    assert caught.value.code == "upstream_stream_interrupted"
    assert "response.output_text.delta" in kinds
    assert not {"response.completed", "response.incomplete"} & set(kinds)


async def test_what_a_provider_could_not_be_told_is_named_or_refused(runner: str, upstream: Upstream) -> None:
    say(upstream)
    asked: JsonValue = {"model": GPT, "input": "hi", "store": True, "tools": [{"type": "web_search"}]}
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        raw = await client.responses.with_raw_response.create(**asked)
    assert raw.headers["x-sentinel-dropped-params"] == "tools.web_search, store"
    refusing = {"on_unsupported": "refuse"}
    async with responses_server(upstream, runner=runner, table=refusing) as served, sdk(served) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(**asked)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "tools.web_search")


async def test_history_that_a_provider_keeps_reaches_only_a_provider_that_has_it(
    runner: str, upstream: Upstream
) -> None:
    upstream.script(NATIVE, Reply(response("there")), Reply({"error": {"message": "down"}}, 500))
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        for model in (CLAUDE, GPT):
            with pytest.raises(openai.BadRequestError) as caught:
                await client.responses.create(model=model, input="hi", previous_response_id="resp_1")
            assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "previous_response_id")
        assert upstream.requests == []
        answer = await client.responses.create(model=BOTH, input="hi", previous_response_id="resp_1")
        with pytest.raises(openai.InternalServerError):
            await client.responses.create(model=BOTH, input="hi", previous_response_id="resp_1")
    assert answer.output_text == "there"
    assert {sent.target for sent in upstream.requests} == {"/v1/responses"}


async def test_a_provider_that_has_the_api_is_asked_first_and_others_stand_in_for_it(
    runner: str, upstream: Upstream
) -> None:
    upstream.script(NATIVE, Reply(response("there")), Reply({"error": {"message": "down"}}, 500))
    upstream.script(CLAUDE, Reply(message("instead")))
    async with responses_server(upstream, runner=runner) as served, sdk(served) as client:
        first = await client.responses.create(model=BOTH, input="hi")
        second = await client.responses.create(model=BOTH, input="hi")
    assert (first.output_text, second.output_text) == ("there", "instead")
    assert [sent.target for sent in upstream.requests] == ["/v1/responses", "/v1/responses", "/v1/messages"]


@MASKS
@CHATS
async def test_a_guard_binds_on_a_translated_response_and_its_input(
    runner: str, upstream: Upstream, model: str, mask: type[Stage]
) -> None:
    say(upstream, "a secret")
    items: JsonValue = [{"role": "user", "content": [{"type": "input_text", "text": "my secret"}]}]
    async with responses_server(upstream, mask, runner=runner) as served, sdk(served) as client:
        answer = await client.responses.create(model=model, input=items, instructions="secret", tools=[TOOL])
    assert (answer.output_text, answer.instructions) == ("a ***", "***")
    assert b"secret" not in upstream.requests[0].body


@MASKS
@CHATS
async def test_a_guard_binds_on_a_translated_stream_and_on_what_repeats_it(
    runner: str, upstream: Upstream, model: str, mask: type[Stage]
) -> None:
    stream(upstream, "a ", "secret", " b")
    body = {"model": model, "input": "hi", "stream": True, "instructions": "secret"}
    async with responses_server(upstream, mask, runner=runner) as served, httpx.AsyncClient() as client:
        answer = await client.post(f"{served.url}/v1/responses", json=body)
    assert "secret" not in answer.text
    assert answer.text.count('"a *** b"') >= 4  # the text, its part, its item, the response
    assert "event: response.completed" in answer.text
    assert KEY not in answer.text


class FirstWords(Stage):
    """Refuses an answer for its words, as soon as they come."""

    name = "first_words"
    guard = True

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextEvent) and "forbidden" in event.text:
                raise Refusal("content_policy_violation")
            yield event


@pytest.mark.parametrize("model", [CLAUDE, GPT, NATIVE])
async def test_a_guard_that_refuses_the_first_words_still_answers_with_a_status_of_its_own(
    runner: str, upstream: Upstream, model: str
) -> None:
    stream(upstream, "forbidden")
    upstream.script(NATIVE, Stream(response_stream("forbidden")))
    async with responses_server(upstream, FirstWords, runner=runner) as served, sdk(served) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model=model, input="hi", instructions="be kind", stream=True)
    assert caught.value.code == "content_policy_violation"
