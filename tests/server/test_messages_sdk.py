"""Official clients of both vendors against upstreams of both kinds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import openai
import pytest

from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from tests.server.messages_fixture import CLAUDE, GPT, KEY, messages_request, messages_server
from tests.server.serving import RUNNERS, Served
from tests.upstream import Close, Reply, Stream, Upstream, chat_stream, completion, delta, sse
from tests.upstream.anthropic import (
    ending,
    message,
    message_stream,
    opening,
    text_block,
    thinking_block,
    tool_block,
)

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]  # the clients' own types are narrower than their wire
TOOL: JsonValue = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}
OPENAI_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
}


def claude(served: Served) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=served.url, api_key="sk-own", max_retries=0)


def gpt(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="sk-own", max_retries=0)


def say(upstream: Upstream) -> None:
    """Both upstreams call the same tool after the same words."""
    upstream.script(CLAUDE, Reply(message("one", CALL)))
    called = {"role": "assistant", "content": "one", "tool_calls": [OPENAI_CALL]}
    upstream.script(GPT, Reply(completion(choices=[{"index": 0, "message": called, "finish_reason": "tool_calls"}])))


def stream(upstream: Upstream) -> None:
    """The same as streams."""
    blocks = [text_block(0, "o", "ne"), tool_block(1, "toolu_1", "weather", '{"ci', 'ty":"Rome"}')]
    upstream.script(CLAUDE, Stream(message_stream(blocks=blocks, reason="tool_use")))
    opening_ = {**OPENAI_CALL, "index": 0, "function": {"name": "weather", "arguments": ""}}
    parts = [
        *chat_stream("o", "ne", finish=None, done=False),
        sse(delta(tool_calls=[opening_])),
        *(sse(delta(tool_calls=[{"index": 0, "function": {"arguments": text}}])) for text in ('{"ci', 'ty":"Rome"}')),
        *chat_stream(usage=True, finish="tool_calls")[1:],
    ]
    upstream.script(GPT, Stream(parts))


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_anthropics_client_gets_a_message_with_a_tool_call(runner: str, upstream: Upstream, model: str) -> None:
    say(upstream)
    async with messages_server(upstream, runner=runner) as served, claude(served) as client:
        raw = await client.messages.with_raw_response.create(
            model=model, max_tokens=9, messages=MESSAGES, tools=[TOOL], system="rules"
        )
    answer = await raw.parse()
    assert [block.type for block in answer.content] == ["text", "tool_use"]
    assert answer.content[1].input == {"city": "Rome"}  # type: ignore[union-attr]  # it is a tool's
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("tool_use", 3, 2)
    assert raw.headers["request-id"] == raw.headers["x-request-id"]


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_anthropics_stream_helper_puts_a_message_together(runner: str, upstream: Upstream, model: str) -> None:
    stream(upstream)
    async with (
        messages_server(upstream, runner=runner) as served,
        claude(served) as client,
        client.messages.stream(model=model, max_tokens=9, messages=MESSAGES, tools=[TOOL]) as events,
    ):
        texts = [text async for text in events.text_stream]
        answer = await events.get_final_message()
    assert texts == ["o", "ne"]
    assert [block.type for block in answer.content] == ["text", "tool_use"]
    assert answer.content[1].input == {"city": "Rome"}  # type: ignore[union-attr]  # it is a tool's
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("tool_use", 3, 2)


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_anthropics_synchronous_client(runner: str, upstream: Upstream, model: str) -> None:
    stream(upstream)

    def ask(url: str) -> list[str]:
        with anthropic.Anthropic(base_url=url, api_key="sk-own", max_retries=0) as client:
            events = client.messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=True)
            return [event.type for event in events]

    async with messages_server(upstream, runner=runner) as served:
        kinds = await asyncio.to_thread(ask, served.url)
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_openais_client_gets_a_completion_with_a_tool_call(runner: str, upstream: Upstream, model: str) -> None:
    say(upstream)
    async with messages_server(upstream, runner=runner) as served, gpt(served) as client:
        answer = await client.chat.completions.create(model=model, messages=MESSAGES)
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("one", "tool_calls")
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].function.arguments == '{"city":"Rome"}'  # type: ignore[union-attr]
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_openais_stream_helper_puts_a_completion_together(runner: str, upstream: Upstream, model: str) -> None:
    stream(upstream)
    async with messages_server(upstream, runner=runner) as served, gpt(served) as client:
        options: JsonValue = {"include_usage": True}
        async with client.chat.completions.stream(model=model, messages=MESSAGES, stream_options=options) as events:
            async for _ in events:
                pass
            answer = await events.get_final_completion()
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("one", "tool_calls")
    assert choice.message.tool_calls is not None
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "Rome"}
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


async def test_a_conversation_with_thinking_and_tools_goes_on_through_openais_client(
    runner: str, upstream: Upstream
) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    upstream.script(CLAUDE, Reply(message(thought, CALL)), Reply(message("done")))
    tool: JsonValue = {"type": "function", "function": {"name": "weather", "parameters": TOOL["input_schema"]}}
    async with messages_server(upstream, runner=runner) as served, gpt(served) as client:
        first = await client.chat.completions.create(model=CLAUDE, messages=MESSAGES, tools=[tool])
        replayed: JsonValue = first.choices[0].message.model_dump(exclude_none=True)
        result: JsonValue = {"role": "tool", "tool_call_id": "toolu_1", "content": "hot"}
        last = await client.chat.completions.create(model=CLAUDE, messages=[*MESSAGES, replayed, result], tools=[tool])
    assert last.choices[0].message.content == "done"
    assert upstream.requests[1].json["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [thought, CALL]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "hot"}]},
    ]


async def test_signatures_of_a_stream_reach_anthropics_client(runner: str, upstream: Upstream) -> None:
    upstream.script(CLAUDE, Stream(message_stream(blocks=[thinking_block(0, "hm"), text_block(1, "a")])))
    async with (
        messages_server(upstream, runner=runner) as served,
        claude(served) as client,
        client.messages.stream(model=CLAUDE, max_tokens=9, messages=MESSAGES) as events,
    ):
        answer = await events.get_final_message()
    assert answer.content[0].signature == "sig"  # type: ignore[union-attr]  # it is a thought


async def test_tokens_are_counted_where_the_provider_counts(runner: str, upstream: Upstream) -> None:
    upstream.script("/v1/messages/count_tokens", Reply({"input_tokens": 7}))
    async with messages_server(upstream, runner=runner) as served, claude(served) as client:
        assert (await client.messages.count_tokens(model=CLAUDE, messages=MESSAGES)).input_tokens == 7
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.count_tokens(model=GPT, messages=MESSAGES)


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_a_broken_stream_raises(runner: str, upstream: Upstream, model: str) -> None:
    upstream.script(CLAUDE, Stream([opening(), *text_block(0, "one"), Close()]))
    upstream.script(GPT, Stream([*chat_stream("one", done=False, finish=None), Close()]))
    async with messages_server(upstream, runner=runner) as served, claude(served) as client:
        events = await client.messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=True)
        with pytest.raises(anthropic.APIStatusError) as caught:
            async for _ in events:
                pass
    body: JsonValue = caught.value.body
    assert body["error"]["type"] == "api_error"


async def test_errors_become_the_clients_own_classes(runner: str, upstream: Upstream) -> None:
    overloaded = Reply({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529)
    limited = Reply({"error": {"message": "slow down"}}, 429, [("Retry-After", "2")])
    upstream.script(CLAUDE, limited, overloaded)
    async with messages_server(upstream, runner=runner) as served, claude(served) as client:
        with pytest.raises(anthropic.RateLimitError) as first:
            await client.messages.create(model=CLAUDE, max_tokens=9, messages=MESSAGES)
        with pytest.raises(anthropic.InternalServerError) as second:
            await client.messages.create(model=CLAUDE, max_tokens=9, messages=MESSAGES)
        with pytest.raises(anthropic.NotFoundError) as unknown:
            await client.messages.create(model="nobody", max_tokens=9, messages=MESSAGES)
    assert first.value.response.headers["retry-after"] == "2"
    assert second.value.status_code == 503
    assert unknown.value.request_id


@pytest.mark.parametrize("target", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_what_the_edge_refuses_is_in_anthropics_envelope(runner: str, upstream: Upstream, target: str) -> None:
    async with messages_server(upstream, runner=runner) as served, served.connect() as wire:
        answer = await wire.ask(
            messages_request(headers=("Content-Type: text/plain", "X-Request-ID: r-1"), target=target)
        )
    assert (answer.status, answer.headers["request-id"]) == (415, "r-1")
    assert answer.json["type"] == "error"
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert answer.json["request_id"] == "r-1"


async def test_the_answer_and_the_frames_of_the_clients_own_dialect_are_the_upstreams(
    runner: str, upstream: Upstream
) -> None:
    raw = json.dumps(message("é", unknown=[1]), indent=1).encode()
    parts = message_stream("a", "b")
    upstream.script(CLAUDE, Reply(raw), Stream(parts))
    async with messages_server(upstream, runner=runner) as served, served.connect() as wire:
        unary = await wire.ask(messages_request(unknown={"kept": 1}))
        streamed = await wire.ask(messages_request(stream=True))
    assert unary.body == raw
    assert streamed.body == b"".join(part for part in parts if b"ping" not in part)
    assert upstream.requests[0].json["unknown"] == {"kept": 1}
    assert KEY not in str((unary, streamed))


async def test_h30_of_the_clients_head_only_allowed_betas_go_on(runner: str, upstream: Upstream) -> None:
    upstream.script(CLAUDE, Reply(message()))
    headers = ("anthropic-beta: good-1, bad-2", "anthropic-version: 1999-01-01", "x-api-key: sk-own", "X-Other: x")
    async with messages_server(upstream, runner=runner, betas=["good-1"]) as served, served.connect() as wire:
        answer = await wire.ask(messages_request(headers=headers))
    sent = upstream.requests[0]
    assert sent.header("anthropic-beta") == "good-1"
    assert sent.header("anthropic-version") == "2023-06-01"
    assert (sent.header("x-api-key"), sent.header("x-other")) == (KEY, None)
    assert answer.headers["x-sentinel-dropped-params"] == "anthropic-beta"


async def test_what_a_provider_could_not_be_told_is_named_or_refused(runner: str, upstream: Upstream) -> None:
    upstream.script(GPT, Reply(completion()))
    async with messages_server(upstream, runner=runner) as served, served.connect() as wire:
        answer = await wire.ask(messages_request(model=GPT, top_k=3))
    assert (answer.status, answer.headers["x-sentinel-dropped-params"]) == (200, "top_k")
    async with messages_server(upstream, runner=runner, on_unsupported="refuse") as served, served.connect() as wire:
        answer = await wire.ask(messages_request(model=GPT, top_k=3))
    assert answer.status == 400
    assert "top_k" in answer.json["error"]["message"]


class Masking(Stage):
    """Masks a word wherever it stands, in every dialect."""

    name = "masking"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        texts = {slot.path: slot.text.replace("secret", "[X]") for slot in ctx.request.texts() if "secret" in slot.text}
        ctx.request = ctx.request.with_texts(texts)
        if any("forbidden" in slot.text for slot in ctx.request.texts()):
            raise Refusal("content_policy_violation")

    @hookimpl
    def on_response(self, ctx: Context, answer: Answer) -> Answer:
        return answer.with_texts(
            {slot.path: slot.text.replace("secret", "[X]") for slot in answer.texts() if "secret" in slot.text}
        )


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_a_guard_sees_and_changes_texts_of_messages(runner: str, upstream: Upstream, model: str) -> None:
    call = {**CALL, "input": {"city": "secret"}}
    upstream.script(CLAUDE, Reply(message("a secret", call)))
    called = {**OPENAI_CALL, "function": {"name": "weather", "arguments": '{"city":"secret"}'}}
    said = {"role": "assistant", "content": "a secret", "tool_calls": [called]}
    upstream.script(GPT, Reply(completion(choices=[{"index": 0, "message": said, "finish_reason": "tool_calls"}])))
    async with messages_server(upstream, Masking, runner=runner) as served, served.connect() as wire:
        answer = await wire.ask(messages_request("my secret", model=model, system="secret rules"))
        refused = await wire.ask(messages_request("forbidden", model=model))
    assert b"secret" not in answer.body
    assert b"secret" not in upstream.requests[0].body
    assert [block.get("text") or block.get("input") for block in answer.json["content"]] == ["a [X]", {"city": "[X]"}]
    assert refused.status == 400
    assert refused.json["error"]["type"] == "invalid_request_error"


async def test_an_end_marker_is_not_written_before_the_stream_is_complete(runner: str, upstream: Upstream) -> None:
    upstream.script(CLAUDE, Stream([opening(), *text_block(0, "a"), ending()[1]]))
    async with messages_server(upstream, runner=runner) as served, served.connect() as wire:
        answer = await wire.ask(messages_request(stream=True))
    assert b"message_stop" not in answer.body
    assert answer.body.rpartition(b"event: ")[2].startswith(b"error\n")


async def test_anthropics_client_lists_models(runner: str, upstream: Upstream) -> None:
    async with messages_server(upstream, runner=runner) as served, claude(served) as client, gpt(served) as other:
        page = await client.models.list()
        listed = [model async for model in client.models.list()]
        one = await client.models.retrieve(CLAUDE)
        raw = await client.models.with_raw_response.list()
        in_openais = {model.id: model.created async for model in other.models.list()}
    assert {CLAUDE, GPT} <= {model.id for model in listed} == set(in_openais)
    assert (page.has_more, page.first_id, page.last_id) == (False, listed[0].id, listed[-1].id)
    assert (one.type, one.display_name, one.lifecycle) == ("model", CLAUDE, "active")
    assert one.created_at.timestamp() == in_openais[CLAUDE]
    assert raw.headers["request-id"] == raw.headers["x-request-id"]


async def test_anthropics_client_reads_what_its_other_routes_refuse(runner: str, upstream: Upstream) -> None:
    async with messages_server(upstream, runner=runner) as served, claude(served) as client:
        for asked in (client.models.retrieve("nobody"), client.messages.batches.list()):
            with pytest.raises(anthropic.NotFoundError) as raised:
                await asked
            body = raised.value.body
            assert isinstance(body, dict)
            assert (body["type"], body["error"]["type"]) == ("error", "not_found_error")
            assert raised.value.request_id == body["request_id"]


async def test_a_route_of_openais_answers_as_openais_whatever_the_head_says(runner: str, upstream: Upstream) -> None:
    async with messages_server(upstream, runner=runner) as served, gpt(served) as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.chat.completions.create(
                model=GPT, messages=[], extra_headers={"anthropic-version": "2023-06-01"}
            )
    assert raised.value.code == "invalid_parameter"
    assert "request-id" not in raised.value.response.headers
