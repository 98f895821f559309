"""From OpenAI's Responses to chat and to Messages: golden vectors of requests, and what is refused."""

from __future__ import annotations

import json

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import UpstreamChat, translated_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.responses_client import (
    FUNCTION,
    SCHEMA,
    asked,
    through,
)
from tests.upstream.anthropic import (
    message,
)

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,JVBE"
OPUS = "claude-opus-4-5"
UPSTREAMS: dict[str, UpstreamChat] = {"gpt": OPENAI_CHAT, OPUS: ANTHROPIC_MESSAGES}


def sent(model: str, **fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    """The body for the upstream that serves `model`, and what it could not be told."""
    request, dropped = translated_request(asked(**fields), UPSTREAMS[model], model)
    return dict(request.body), dropped


CONVERSATION: list[JsonObject] = [
    {"role": "developer", "content": "rules"},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "look"},
            {"type": "input_image", "image_url": PNG, "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
        ],
    },
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
    {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "calling", "annotations": []}],
    },
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "w", "arguments": '{"city":"Rome"}'},
    {"type": "function_call", "call_id": "c2", "name": "now", "arguments": ""},
    {"type": "function_call_output", "call_id": "c1", "output": "hot"},
    {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "noon"}]},
    {"role": "user", "content": "thanks"},
]


def test_a_conversation_for_chat() -> None:
    body, dropped = sent("gpt", input=CONVERSATION, instructions="be kind")
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}},
        {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
    ]
    assert dropped == ()
    assert body == {
        "model": "gpt",
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "developer", "content": "rules"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
                ],
            },
            {"role": "assistant", "content": "calling", "reasoning_content": "hm", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "hot"},
            {"role": "tool", "tool_call_id": "c2", "content": "noon"},
            {"role": "user", "content": "thanks"},
        ],
    }


def test_a_conversation_for_anthropic() -> None:
    body, dropped = sent(OPUS, input=CONVERSATION, instructions="be kind")
    assert dropped == ("messages.image_url.detail",)
    assert body["system"] == [{"type": "text", "text": "be kind"}, {"type": "text", "text": "rules"}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [
        {"type": "text", "text": "calling"},
        {"type": "tool_use", "id": "c1", "name": "w", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
    ]
    assert body["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": "hot"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "noon"},
        {"type": "text", "text": "thanks"},
    ]


def user(said: str) -> JsonObject:
    return {"role": "user", "content": said}


def called(*names: str, said: str | None = None) -> JsonObject:
    calls = [{"id": name, "type": "function", "function": {"name": "w", "arguments": "{}"}} for name in names]
    return {"role": "assistant", "content": said, **({"tool_calls": calls} if calls else {})}


def gave(name: str) -> JsonObject:
    return {"role": "tool", "tool_call_id": name, "content": f"of {name}"}


def call(name: str) -> JsonObject:
    return {"type": "function_call", "call_id": name, "name": "w", "arguments": "{}"}


def output(name: str) -> JsonObject:
    return {"type": "function_call_output", "call_id": name, "output": f"of {name}"}


HM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hm"}]}


@pytest.mark.parametrize(
    ("items", "messages"),
    [
        ([call("a"), user("quick"), output("a")], [called("a"), gave("a"), user("quick")]),
        (
            [call("a"), call("b"), output("a"), user("quick"), output("b")],
            [called("a", "b"), gave("a"), gave("b"), user("quick")],
        ),
        (
            [call("a"), user("quick"), call("b"), output("b"), output("a")],
            [called("a"), gave("a"), user("quick"), called("b"), gave("b")],
        ),
        ([call("a"), HM, output("a"), HM], [called("a", said="hm"), gave("a"), called(said="hm")]),
        (
            [call("a"), call("b"), output("a"), HM, output("b"), HM],
            [called("a", "b"), gave("a"), gave("b"), called(said="hmhm")],
        ),
        (
            [call("a"), output("a"), call("a"), user("quick"), output("a")],
            [called("a"), gave("a"), called("a"), gave("a"), user("quick")],
        ),
        ([call("a"), output("a"), output("x"), call("b")], [called("a"), gave("a"), gave("x"), called("b")]),
    ],
)
def test_a_result_stands_directly_behind_its_call(items: list[JsonObject], messages: list[JsonObject]) -> None:
    told = sent("gpt", input=[user("hi"), *items])[0]["messages"]
    for turn in told:
        if isinstance(turn["content"], list):
            turn["content"] = "".join(part["text"] for part in turn["content"])
    assert told == [user("hi"), *messages]


def test_results_find_their_calls_in_time() -> None:
    names = [str(number) for number in range(20_000)]
    items = [*map(call, names), user("quick"), *map(output, names)]
    told = sent("gpt", input=items)[0]["messages"]
    assert [message["role"] for message in told] == ["assistant", *["tool"] * len(names), "user"]


NESTED = {"type": "function", "function": {"name": "w", "description": "d", "parameters": SCHEMA, "strict": True}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 5}, {"max_completion_tokens": 5}),
        ({"temperature": 0.5, "top_p": 0.9, "user": "u"}, {"temperature": 0.5, "top_p": 0.9, "user": "u"}),
        ({"metadata": {"k": "v"}, "service_tier": "flex"}, {"metadata": {"k": "v"}, "service_tier": "flex"}),
        ({"reasoning": {"effort": "low", "summary": None}}, {"reasoning_effort": "low"}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": SCHEMA, "strict": True},
                }
            },
        ),
        ({"tools": [FUNCTION], "tool_choice": "required"}, {"tools": [NESTED], "tool_choice": "required"}),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "w"}, "parallel_tool_calls": False},
            {
                "tools": [NESTED],
                "tool_choice": {"type": "function", "function": {"name": "w"}},
                "parallel_tool_calls": False,
            },
        ),
        (
            {
                "tools": [FUNCTION],
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "w"}],
                },
            },
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "w"}}]},
                }
            },
        ),
        # What says what is so anyway, and what clients send always.
        ({"store": False, "truncation": "disabled", "background": False, "include": [], "temperature": None}, {}),
        ({"text": {"format": {"type": "text"}}}, {}),
        ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "stream_options": {}}, {}),
    ],
)
def test_parameters_for_chat(fields: JsonObject, expected: JsonObject) -> None:
    body, dropped = sent("gpt", **fields)
    assert dropped == ()
    assert {**body, **expected} == body
    assert body.keys() <= {"model", "messages", *expected, "tools"}


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"store": True}, ("store",)),
        ({"truncation": "auto", "max_tool_calls": 3}, ("truncation", "max_tool_calls")),
        ({"include": ["reasoning.encrypted_content"], "top_logprobs": 2}, ("include", "top_logprobs")),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, ("reasoning.summary",)),
        ({"unknown": 1}, ("unknown",)),
        ({"tools": [{"type": "web_search"}, FUNCTION]}, ("tools.web_search",)),
        ({"tools": [{**FUNCTION, "defer_loading": True}]}, ("tools.defer_loading",)),
        ({"tools": [{**FUNCTION, "defer_loading": False, "strict": None}]}, ()),
        ({"tools": [{"type": "mcp", "server_url": "x"}], "tool_choice": {"type": "mcp"}}, ("tools.mcp", "tool_choice")),
        (
            {"input": [{"type": "web_search_call", "id": "ws"}, {"role": "user", "content": "x"}]},
            ("input.web_search_call",),
        ),
        (
            {
                "input": [
                    {
                        "role": "user",
                        "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "file_id": "f"}],
                    }
                ]
            },
            ("input.input_image",),
        ),
    ],
)
def test_what_only_this_api_has_is_named(fields: JsonObject, dropped: tuple[str, ...]) -> None:
    for model in UPSTREAMS:
        assert sent(model, **fields)[1] == dropped


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": [{"role": "user", "content": "x"}, {"type": "item_reference", "id": "msg_1"}]}, "input[1]"),
        ({"input": [{"id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input[0]"),
    ],
)
def test_history_that_is_kept_elsewhere_is_refused_and_never_left_out(fields: JsonObject, param: str) -> None:
    for model in UPSTREAMS:
        with pytest.raises(Refusal) as raised:
            sent(model, **fields)
        assert (raised.value.code, raised.value.param) == ("unsupported_parameter", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ["bare"]}, "input[0]"),
        ({"input": [{"type": 3}]}, "input[0]"),
        ({"input": [{"role": "critic", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input[0].content"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "w"}]}, "input[0]"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": [{"type": "reasoning", "summary": []}]}, "input"),
        ({"instructions": ["x"]}, "instructions"),
        ({"tools": {}}, "tools"),
        ({"tools": [5]}, "tools[0]"),
        ({"tools": [{**FUNCTION, "parameters": 5}]}, "tools[0].parameters"),
        ({"text": 5}, "text"),
        ({"text": {"format": 5}}, "text.format"),
        ({"text": {"format": {"schema": {}}}}, "text.format"),
        ({"text": {"format": {"type": 5}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": 5}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": []}}}, "text.format.schema"),
        ({"text": {"verbosity": 5}}, "text.verbosity"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
        ({"input": [{"type": "function_call", "call_id": 5, "name": "w", "arguments": ""}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": 5, "output": "x"}]}, "input[0].call_id"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": PNG, "detail": 5}]}]},
            "input[0].content[0].detail",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_data": 5}]}]},
            "input[0].content[0].file_data",
        ),
    ],
)
def test_what_is_no_request_is_refused_by_name(fields: JsonObject, param: str) -> None:
    with pytest.raises(Refusal) as raised:
        sent("gpt", **fields)
    assert (raised.value.code, raised.value.param) == ("invalid_parameter", param)


def test_thoughts_with_their_signatures_go_back_to_the_provider_that_signed_them() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    call = {"type": "tool_use", "id": "c1", "name": "w", "input": {}}
    answer = through(message(thought, "one", call), ANTHROPIC_MESSAGES)
    result = {"type": "function_call_output", "call_id": "c1", "output": "hot"}
    items = [{"role": "user", "content": "hi"}, *answer["output"], result]
    body, _ = sent(OPUS, input=items)
    assert body["messages"][1]["content"] == [thought, {"type": "text", "text": "one"}, call]
    changed = json.loads(json.dumps(items).replace('"hm"', '"[X]"'))
    assert sent(OPUS, input=changed)[0]["messages"][1]["content"] == [{"type": "text", "text": "one"}, call]
    told = {"role", "content", "reasoning_content", "tool_calls"}
    assert sent("gpt", input=items)[0]["messages"][1].keys() == told
