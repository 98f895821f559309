"""What each host says, in the words of OpenAI, unary and streamed."""

from __future__ import annotations

import json

import pytest

from sentinel_core.errors import UpstreamError
from sentinel_core.events import Finish, ReasoningDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject
from sentinel_core.usage import Usage
from tests.plugins.providers.calls import (
    answer_of,
    chat_call,
    chat_request,
    drained,
    json_of,
    stream_of,
    text_of,
    written,
)
from tests.plugins.providers.hosts.served import KINDS, host_at
from tests.upstream import DONE, Reply, Stream, Upstream, chat_stream, chunk, completion, delta, sse


def ended(reason: str) -> JsonObject:
    """A completion with this finish reason."""
    body = completion()
    return {**body, "choices": [{**body["choices"][0], "finish_reason": reason}]}


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_a_reply_that_needs_nothing_comes_back_byte_for_byte(upstream: Upstream, kind: str) -> None:
    async with host_at(upstream, kind) as provider:
        answer = await answer_of(provider, chat_call())
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert answer.raw == json.dumps(completion(), separators=(",", ":")).encode()
    assert (text_of(events), error) == ("hello", None)
    assert written(events, chat_request(stream=True)) == b"".join(chat_stream("hello"))


@pytest.mark.parametrize(
    ("kind", "theirs", "ours"),
    [("mistral", "model_length", "length"), ("together", "eos", "stop"), ("groq", "tool_calls", "tool_calls")],
)
async def test_a_finish_reason_gets_openais_word(upstream: Upstream, kind: str, theirs: str, ours: str) -> None:
    upstream.script("m", Reply(ended(theirs)), Stream(chat_stream("a", finish=theirs)))
    async with host_at(upstream, kind) as provider:
        answer = await answer_of(provider, chat_call())
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert answer.body["choices"][0]["finish_reason"] == ours
    assert error is None
    assert [event.reason for event in events if isinstance(event, Finish)] == [ours]
    frames = json_of(written(events, chat_request(stream=True)))
    assert frames[-1]["choices"][0]["finish_reason"] == ours


@pytest.mark.parametrize(
    ("kind", "reason", "code"),
    [
        ("mistral", "error", "upstream_error"),
        ("openrouter", "error", "upstream_error"),
        ("deepseek", "insufficient_system_resource", "overloaded"),
    ],
)
async def test_a_finish_that_means_a_failure_is_one(upstream: Upstream, kind: str, reason: str, code: str) -> None:
    upstream.script("m", Reply(ended(reason)), Stream(chat_stream("a", finish=reason)))
    async with host_at(upstream, kind) as provider:
        with pytest.raises(UpstreamError) as failed:
            await provider.call(chat_call())
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (failed.value.code, text_of(events)) == (code, "a")
    assert error is not None
    assert error.code == code


PLAIN = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
REASONED = {"completion_tokens_details": {"reasoning_tokens": 6}}
USAGES: list[tuple[str, JsonObject, Usage]] = [
    ("xai", {**PLAIN, **REASONED, "total_tokens": 20}, Usage(10, 10, 20, 0, 6)),
    ("xai", {**PLAIN, **REASONED, "completion_tokens": 10, "total_tokens": 20}, Usage(10, 10, 20, 0, 6)),
    ("xai", PLAIN, Usage(10, 4, 14)),
    ("xai", {**PLAIN, "completion_tokens_details": {"reasoning_tokens": 1 << 54}}, Usage(10, 4, 14)),
    ("deepseek", {**PLAIN, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}, Usage(10, 4, 14, 8)),
    ("mistral", {**PLAIN, "num_cached_tokens": 3}, Usage(10, 4, 14, 3)),
    ("mistral", {**PLAIN, "num_cached_tokens": 1 << 54}, Usage(10, 4, 14)),
    ("mistral", {**PLAIN, "prompt_tokens_details": {"cached_tokens": 3}}, Usage(10, 4, 14, 3)),
    ("openrouter", {**PLAIN, "cost": 0.01}, Usage(10, 4, 14)),
]


@pytest.mark.parametrize(("kind", "usage", "counted"), USAGES)
async def test_tokens_are_counted_as_openai_counts_them(
    upstream: Upstream, kind: str, usage: JsonObject, counted: Usage
) -> None:
    frames = [*chat_stream("a", done=False), sse(chunk([], usage=usage)), DONE]
    upstream.script("m", Reply(completion(usage=usage)), Stream(frames))
    async with host_at(upstream, kind) as provider:
        answer = await answer_of(provider, chat_call())
        events, _ = await drained(await stream_of(provider, chat_call(stream=True)))
    assert answer.usage == counted
    assert answer.body["usage"].keys() >= usage.keys(), "the host's own counts are kept"
    assert answer.body["usage"]["completion_tokens"] == counted.completion_tokens
    assert [event.usage for event in events if isinstance(event, UsageReport)] == [counted]


async def test_groqs_count_beside_the_last_chunk_counts(upstream: Upstream) -> None:
    last = {**delta(finish="stop"), "x_groq": {"id": "req_1", "usage": PLAIN}}
    upstream.script("m", Stream([sse(delta("a")), sse(last), DONE]))
    async with host_at(upstream, "groq") as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert error is None
    assert [event.usage for event in events if isinstance(event, UsageReport)] == [Usage(10, 4, 14)]


async def test_mistrals_thinking_becomes_reasoning(upstream: Upstream) -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}]
    body = completion()
    body = {
        **body,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": parts}, "finish_reason": "stop"}],
    }
    frames = [sse(chunk([{"index": 0, "delta": {"content": parts}, "finish_reason": None}])), *chat_stream("!")]
    upstream.script("m", Reply(body), Stream(frames))
    async with host_at(upstream, "mistral") as provider:
        answer = await answer_of(provider, chat_call())
        events, _ = await drained(await stream_of(provider, chat_call(stream=True)))
    message = answer.body["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("yes", "hm")
    assert text_of(events) == "yes!"
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["hm"]


async def test_a_short_id_that_mistral_gives_back_is_the_callers_own_again(upstream: Upstream) -> None:
    call = {"id": "call_one", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_one", "content": ""},
    ]
    async with host_at(upstream, "mistral") as provider:
        await answer_of(provider, chat_call(messages=messages))
        short = upstream.requests[0].json["messages"][0]["tool_calls"][0]["id"]
        assert short != "call_one"
        fresh = {**call, "id": "newid1234"}
        back = [{**call, "id": short, "index": 0}, {**fresh, "index": 1}]
        upstream.script("m", Stream([sse(delta(tool_calls=back)), *chat_stream(finish="tool_calls")]))
        events, _ = await drained(await stream_of(provider, chat_call(messages=messages, stream=True)))
    assert [event.id for event in events if isinstance(event, ToolCallDelta)] == ["call_one", "newid1234"]
    assert (
        json_of(written(events, chat_request(stream=True)))[0]["choices"][0]["delta"]["tool_calls"][0]["id"]
        == "call_one"
    )


async def test_comments_and_empty_choices_of_hosts_are_no_events_of_the_answer(upstream: Upstream) -> None:
    filtered = chunk([], prompt_filter_results=[{"prompt_index": 0}])
    frames = [b": OPENROUTER PROCESSING\n\n", b": keep-alive\n\n", sse(filtered), *chat_stream("a")]
    for kind in ("azure", "openrouter", "deepseek"):
        upstream.script("m", Stream(frames))
        async with host_at(upstream, kind) as provider:
            events, error = await drained(await stream_of(provider, chat_call(stream=True)))
        assert (text_of(events), error) == ("a", None)
