"""Between OpenAI's chat and Anthropic's Messages: golden vectors both ways, and there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import translated_answer, translated_events, translated_request
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.messages_client import to_openai
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream import chat_stream, chunk, completion, delta, sse
from tests.upstream.anthropic import block, message, message_stream, text_block, thinking_block, tool_block

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,JVBE"
SCHEMA = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/x"}},
    "$defs": {"x": {}},
    "required": ["a"],
    "additionalProperties": False,
}
OPUS = "claude-opus-4-5"


def to_anthropic(model: str = OPUS, **fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    request, dropped = translated_request(OPENAI_CHAT.decode_request(body), ANTHROPIC_MESSAGES, model)
    return dict(request.body), dropped


CONVERSATION: list[JsonObject] = [
    {"role": "system", "content": "one"},
    {"role": "developer", "content": [{"type": "text", "text": "two"}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "look"},
            {"type": "text", "text": ""},
            {"type": "image_url", "image_url": {"url": PNG}},
            {"type": "image_url", "image_url": {"url": "https://host/x.png"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
        ],
    },
    {
        "role": "assistant",
        "content": "calling",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}},
            {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "hot"},
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "noon"}]},
    {"role": "user", "content": "thanks"},
]


def test_a_conversation_for_anthropic() -> None:
    body, dropped = to_anthropic(messages=CONVERSATION)
    assert dropped == ()
    assert body["system"] == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://host/x.png"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                    "title": "a.pdf",
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "calling"},
                {"type": "tool_use", "id": "c1", "name": "w", "input": {"city": "Rome"}},
                {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "hot"},
                {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "noon"}]},
                {"type": "text", "text": "thanks"},
            ],
        },
    ]


TOOLS = [{"type": "function", "function": {"name": "w", "description": "d", "parameters": SCHEMA, "strict": True}}]
ANTHROPIC_TOOLS = [{"name": "w", "description": "d", "input_schema": SCHEMA, "strict": True}]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "w"}}, {"type": "tool", "name": "w"}),
    ],
)
def test_tools_and_their_choice_both_ways(choice: JsonValue, expected: JsonObject) -> None:
    body, dropped = to_anthropic(tools=TOOLS, tool_choice=choice)
    assert (body["tools"], body["tool_choice"], dropped) == (ANTHROPIC_TOOLS, expected, ())
    back, dropped = to_openai(tools=ANTHROPIC_TOOLS, tool_choice=expected)
    assert (back["tools"], back["tool_choice"], dropped) == (TOOLS, choice, ())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"parallel_tool_calls": False, "tool_choice": "required"}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"parallel_tool_calls": False, "tool_choice": "none"}, {"type": "none"}),
    ],
)
def test_the_flag_against_parallel_calls_stands_in_a_choice(fields: JsonObject, expected: JsonObject) -> None:
    assert to_anthropic(tools=TOOLS, **fields)[0]["tool_choice"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 6, "max_tokens": 5}, {"max_tokens": 6}),
        ({}, {"max_tokens": 32_000}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"user": "u-1"}, {"metadata": {"user_id": "u-1"}}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
        ({"n": 1, "response_format": {"type": "text"}}, {}),
        ({"max_tokens": 2048, "reasoning_effort": "low"}, {"thinking": {"type": "enabled", "budget_tokens": 1048}}),
        ({"reasoning_effort": "xhigh"}, {"thinking": {"type": "enabled", "budget_tokens": 31_000}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        ),
        ({"reasoning_effort": "medium"}, {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
        ({"reasoning_effort": "none"}, {}),
    ],
)
def test_parameters_for_anthropic(fields: JsonObject, expected: JsonObject) -> None:
    body, dropped = to_anthropic(**fields)
    assert dropped == ()
    assert {**body, **expected} == body


@pytest.mark.parametrize(
    ("model", "fields", "dropped"),
    [
        (OPUS, {"n": 2}, ("n",)),
        (OPUS, {"seed": 1, "logprobs": True, "logit_bias": {"1": 1}}, ("seed", "logprobs", "logit_bias")),
        (OPUS, {"temperature": 1.5}, ("temperature",)),
        (OPUS, {"temperature": 0.5, "top_p": 0.5}, ("top_p",)),
        (OPUS, {"stop": ["\n", "END"]}, ("stop",)),
        (OPUS, {"user": "ann@example.org"}, ("user",)),
        (OPUS, {"user": "+44 20 7946 0000"}, ("user",)),
        (OPUS, {"response_format": {"type": "json_object"}}, ("response_format",)),
        (OPUS, {"unknown": 1}, ("unknown",)),
        (OPUS, {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, ("tools.custom",)),
        (OPUS, {"max_tokens": 2000, "reasoning_effort": "high"}, ("reasoning_effort",)),
        (OPUS, {"reasoning_effort": "low", "temperature": 0.5}, ("temperature",)),
        (OPUS, {"reasoning_effort": "low", "tools": TOOLS, "tool_choice": "required"}, ("reasoning_effort",)),
        ("claude-opus-4-8", {"temperature": 0.5, "top_p": 0.5}, ("temperature", "top_p")),
        ("claude-newer-9", {"temperature": 0.5}, ("temperature",)),
        ("claude-3-5-haiku-latest", {"reasoning_effort": "low"}, ("reasoning_effort",)),
        ("llama-3", {"temperature": 0.5, "top_p": 0.5}, ()),
    ],
)
def test_what_a_model_cannot_be_told_is_named(model: str, fields: JsonObject, dropped: tuple[str, ...]) -> None:
    assert to_anthropic(model, **fields)[1] == dropped


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-5", "claude-opus-4-8"])
def test_newer_models_think_as_hard_as_they_are_told(model: str) -> None:
    body, dropped = to_anthropic(model, reasoning_effort="minimal")
    assert (body["thinking"], body["output_config"], dropped) == ({"type": "adaptive"}, {"effort": "low"}, ())


def test_an_older_model_does_not_begin_to_think_between_a_tool_call_and_its_result() -> None:
    assert to_anthropic(messages=CONVERSATION[2:-1], reasoning_effort="low")[1] == ("reasoning_effort",)


@pytest.mark.parametrize("arguments", ["oops", "[1]", "3"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": arguments}}
    with pytest.raises(Refusal) as raised:
        to_anthropic(messages=[{"role": "assistant", "tool_calls": [call]}])
    assert raised.value.param == "messages[0].tool_calls[0].function.arguments"


def test_a_role_without_counterpart_is_refused() -> None:
    with pytest.raises(Refusal) as raised:
        to_anthropic(messages=[{"role": "function", "name": "w", "content": "x"}])
    assert raised.value.param == "messages[0].role"


def test_a_conversation_for_openai() -> None:
    there, _ = to_anthropic(messages=CONVERSATION)
    body, dropped = to_openai(system=there["system"], messages=there["messages"])
    assert dropped == ()
    assert body["messages"][0] == {
        "role": "system",
        "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
    }
    assert body["messages"][1]["content"] == [part for part in CONVERSATION[2]["content"] if part.get("text") != ""]
    assert body["messages"][2]["content"] == "calling"
    assert [call["function"]["arguments"] for call in body["messages"][2]["tool_calls"]] == ['{"city":"Rome"}', "{}"]
    assert [one["role"] for one in body["messages"][3:]] == ["tool", "tool", "user"]
    assert body["messages"][3:5] == [
        {"role": "tool", "tool_call_id": "c1", "content": "hot"},
        {"role": "tool", "tool_call_id": "c2", "content": "noon"},
    ]


@pytest.mark.parametrize(
    ("fields", "expected", "dropped"),
    [
        ({"stop_sequences": ["x"]}, {"stop": ["x"]}, ()),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}, ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"reasoning_effort": "low"}, ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 30_000}}, {"reasoning_effort": "high"}, ()),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, {"reasoning_effort": "max"}, ()),
        ({"thinking": {"type": "disabled"}}, {}, ("thinking",)),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": None}}, {}, ("thinking",)),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}, ()),
        ({"top_k": 3}, {}, ("top_k",)),
        ({"container": "c", "mcp_servers": []}, {}, ("container", "mcp_servers")),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, {}, ("tools.web_search_20250305",)),
        ({"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]}, {}, ("cache_control",)),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}, "tools": ANTHROPIC_TOOLS},
            {"parallel_tool_calls": False},
            (),
        ),
    ],
)
def test_parameters_for_openai(fields: JsonObject, expected: JsonObject, dropped: tuple[str, ...]) -> None:
    body, left_out = to_openai(**fields)
    assert left_out == dropped
    assert {**body, **expected} == body
    assert body["max_completion_tokens"] == 9
    assert not {"extra_content", "top_k", "max_tokens"} & body.keys()


def through(answer: JsonObject, source: Dialect, target: Dialect) -> JsonObject:
    asked = target.decode_request({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]})
    translated = translated_answer(source.decode_answer(json.dumps(answer).encode()), asked)
    assert translated.dialect is target
    return dict(translated.body)


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "sig"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "w", "input": {"city": "Rome"}}


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("a_new_reason", "stop"),
    ],
)
def test_stop_reasons_there_and_back(stop_reason: str, finish_reason: str) -> None:
    answer = message("x", stop_reason=stop_reason)
    there = through(answer, ANTHROPIC_MESSAGES, OPENAI_CHAT)
    assert there["choices"][0]["finish_reason"] == finish_reason
    assert through(there, OPENAI_CHAT, ANTHROPIC_MESSAGES)["stop_reason"] == stop_reason


def test_an_answer_for_openai_sums_the_cache_and_keeps_signatures_without_a_second_copy_of_text() -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 5}
    redacted = {"type": "redacted_thinking", "data": "blob"}
    answer = message(THOUGHT, redacted, "one ", "two", CALL, usage=usage)
    body = through(answer, ANTHROPIC_MESSAGES, OPENAI_CHAT)
    assert body["usage"] == {
        "prompt_tokens": 18,
        "completion_tokens": 2,
        "total_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
    }
    signed = {"type": "thinking", "signature": "sig", "length": 2}
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "one two",
        "reasoning_content": "hm",
        "extra_content": {"anthropic": {"thinking_blocks": [signed, redacted]}},
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}}
        ],
    }
    back = through(body, OPENAI_CHAT, ANTHROPIC_MESSAGES)
    assert back["content"] == [THOUGHT, redacted, {"type": "text", "text": "one two"}, CALL]
    assert back["usage"] == usage


def test_thinking_is_replayed_before_the_tools_results_unless_a_guard_changed_it() -> None:
    said = through(message(THOUGHT, CALL), ANTHROPIC_MESSAGES, OPENAI_CHAT)["choices"][0]["message"]
    messages = [{"role": "user", "content": "hi"}, said, {"role": "tool", "tool_call_id": "toolu_1", "content": "hot"}]
    body, dropped = to_anthropic(messages=messages, reasoning_effort="low")
    assert body["messages"][1]["content"] == [THOUGHT, CALL]
    assert (body["thinking"]["type"], dropped) == ("enabled", ())
    messages[1] = {**said, "reasoning_content": "[REDACTED]"}
    assert to_anthropic(messages=messages)[0]["messages"][1]["content"] == [CALL]


def test_a_signature_is_for_the_provider_that_wrote_it_alone_and_a_thought_for_who_wants_it() -> None:
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "x"}]},
    ]
    body, dropped = to_openai(messages=[*history, {"role": "user", "content": "more"}])
    assert body["messages"][1] == {"role": "assistant", "content": "x", "reasoning_content": "hm"}
    assert dropped == ()


def test_a_call_with_arguments_that_are_no_object_is_not_passed_off_as_one() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": "{oops"}}
    choice = {"index": 0, "message": {"role": "assistant", "tool_calls": [call]}, "finish_reason": "tool_calls"}
    with pytest.raises(UpstreamError) as raised:
        through(completion(choices=[choice]), OPENAI_CHAT, ANTHROPIC_MESSAGES)
    assert raised.value.code == "upstream_invalid_response"


async def streamed(wire: bytes, source: Dialect, target: Dialect) -> list[Event]:
    """The events of a stream of `source` in the dialect `target`."""

    async def events() -> Any:  # of the source's own events
        decoder = source.stream_decoder()
        for data, name in SseParser().feed(wire):
            for event in decoder.decode(data, name):
                yield event

    fields = {"model": "m", "max_tokens": 9, "stream": True, "stream_options": {"include_usage": True}}
    request = target.decode_request({**fields, "messages": [{"role": "user", "content": "hi"}]})
    return [event async for event in translated_events(events(), source, request)]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
async def test_p8_tool_arguments_stay_valid_json_at_every_split(size: int) -> None:
    text = json.dumps({"city": "Rome é🙂", "n": [1, {"x": None}]})
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    blocks = [thinking_block(0, "hm"), text_block(1, "a"), tool_block(2, "t1", "w", *parts), tool_block(3, "t2", "now")]
    wire = b"".join(message_stream(blocks=blocks, reason="tool_use"))
    there = OPENAI_CHAT.assemble(await streamed(wire, ANTHROPIC_MESSAGES, OPENAI_CHAT))
    message_ = there.body["choices"][0]["message"]
    assert [json.loads(call["function"]["arguments"]) for call in message_["tool_calls"]] == [json.loads(text), {}]
    assert (message_["content"], message_["reasoning_content"]) == ("a", "hm")
    assert (there.body["id"], there.body["model"]) == ("msg_1", "claude-upstream")
    fragments = [
        delta(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": {"name": "w", "arguments": ""}}]),
        *(delta(tool_calls=[{"index": 0, "function": {"arguments": part}}]) for part in parts),
        delta(finish="tool_calls"),
        chunk([], usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
    ]
    wire = b"".join(map(sse, fragments))
    back = ANTHROPIC_MESSAGES.assemble(await streamed(wire, OPENAI_CHAT, ANTHROPIC_MESSAGES))
    assert back.body["content"] == [{"type": "tool_use", "id": "c", "name": "w", "input": json.loads(text)}]
    assert (back.body["stop_reason"], back.body["usage"]) == ("tool_use", {"input_tokens": 3, "output_tokens": 2})


async def test_no_client_of_another_format_is_asked_for_what_the_provider_calls_itself() -> None:
    searches = [
        block(number, {"type": "server_tool_use", "id": f"s{number}", "name": "search", "input": {}}, *deltas)
        for number, deltas in enumerate(([{"type": "input_json_delta", "partial_json": '{"query":"x"}'}], []))
    ]
    wire = b"".join(message_stream(blocks=[*searches, tool_block(2, "t1", "w", '{"a":1}')], reason="tool_use"))
    there = OPENAI_CHAT.assemble(await streamed(wire, ANTHROPIC_MESSAGES, OPENAI_CHAT))
    (call,) = there.body["choices"][0]["message"]["tool_calls"]
    assert (call["id"], call["function"]) == ("t1", {"name": "w", "arguments": '{"a":1}'})


async def test_a_stream_in_the_clients_own_dialect_is_not_touched() -> None:
    wire = b"".join(chat_stream("a"))
    events = await streamed(wire, OPENAI_CHAT, OPENAI_CHAT)
    assert all(event.frame is not None for event in events)


# There and back: text and images by turns, tools and their results, the parameters that both have.
names = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=5)
texts = st.text(min_size=1, max_size=8)
said = texts.filter(str.strip)  # more than space, which Anthropic refuses
values = json_values(st.none() | st.booleans() | st.integers(-9, 9) | texts, names)
blocks = said.map(lambda text: {"type": "text", "text": text}) | st.just(
    {"type": "image", "source": {"type": "url", "url": "https://host/x.png"}}
)
inputs = st.dictionaries(names, values, max_size=2)
calls = st.builds(
    lambda id_, name, value: {"type": "tool_use", "id": id_, "name": name, "input": value}, names, names, inputs
)
results = st.builds(lambda id_, text: {"type": "tool_result", "tool_use_id": id_, "content": text}, names, texts)
users = st.builds(lambda content: {"role": "user", "content": content}, said | st.lists(blocks, min_size=2, max_size=3))
answers = st.builds(
    lambda text, made: {"role": "assistant", "content": [{"type": "text", "text": text}, *made] if made else text},
    said,
    st.lists(calls, max_size=2),
)
after_tools = st.builds(
    lambda done, more: {"role": "user", "content": [*done, *more]},
    st.lists(results, min_size=1, max_size=2),
    st.lists(blocks, max_size=2),
)
turns = st.builds(lambda *items: list(items), users, answers, after_tools, answers, users)
requests = st.fixed_dictionaries(
    {
        "model": st.just(OPUS),
        "max_tokens": st.integers(1, 99),
        "messages": turns,
        "tools": st.just([*ANTHROPIC_TOOLS, {"type": "web_search_20250305", "name": "web_search"}]),
    },
    optional={
        "system": said,
        "temperature": st.floats(0, 1, allow_nan=False),
        "top_k": st.integers(1, 9),
        "stop_sequences": st.lists(names, min_size=1, max_size=2),
        "stream": st.booleans(),
        "container": names,
    },
)


@promised()
@given(requests)
def test_p8_a_request_there_and_back_is_the_same(body: JsonObject) -> None:
    request = ANTHROPIC_MESSAGES.decode_request(body)
    there = ANTHROPIC_MESSAGES.to_canonical_request(request)
    back = ANTHROPIC_MESSAGES.from_canonical_request(there.body, OPUS)
    assert back.dropped == ()
    assert back.body == body


@promised()
@given(texts, st.lists(calls, max_size=3), texts)
def test_p8_an_answer_there_and_back_is_the_same(text: str, made: list[JsonObject], thought: str) -> None:
    answer = message({**THOUGHT, "thinking": thought}, text, *made)
    there = through(answer, ANTHROPIC_MESSAGES, OPENAI_CHAT)
    assert through(there, OPENAI_CHAT, ANTHROPIC_MESSAGES) == answer
