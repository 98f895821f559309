"""OpenAI's chat requests as Cohere's: golden vectors, what is left out, and what is refused."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import canonical_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue

PNG = "data:image/png;base64,AAAA"
PLAIN, THINKING = "command-a-03-2025", "command-a-reasoning-08-2025"
SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}


def to_cohere(model: str = PLAIN, **fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields})
    body, dropped = COHERE_CHAT.request_body(canonical_request(request, model).body, model)
    return dict(body), dropped


def tool(name: str = "w", **fields: JsonValue) -> JsonObject:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **fields}}


CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}},
    {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
]
CONVERSATION: list[JsonObject] = [
    {"role": "system", "content": "one", "name": "s"},
    {"role": "developer", "content": [{"type": "text", "text": "two"}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "look"},
            {"type": "text", "text": ""},
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            {"type": "image_url", "image_url": "https://host/x.png"},
        ],
    },
    {"role": "assistant", "content": "I look both up.", "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "name": "w", "content": "hot"},
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "noon"}]},
    {"role": "assistant", "content": ""},
    {"role": "assistant", "content": None, "refusal": "No."},
    {"role": "user", "content": "thanks"},
]


def test_a_conversation_for_cohere() -> None:
    body, dropped = to_cohere(messages=CONVERSATION)
    assert dropped == ("messages.name",)
    assert body["messages"] == [
        {"role": "system", "content": "one"},
        {"role": "system", "content": [{"type": "text", "text": "two"}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://host/x.png"}},
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [CALLS[0], {**CALLS[1], "function": {"name": "now", "arguments": "{}"}}],
            "tool_plan": "I look both up.",
        },
        {"role": "tool", "tool_call_id": "c1", "content": "hot"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "noon"}]},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "thanks"},
    ]


def test_a_result_that_is_empty_is_still_the_answer_to_its_call() -> None:
    messages = [*CONVERSATION[2:4], {"role": "tool", "tool_call_id": "c1", "content": None}]
    assert to_cohere(messages=messages)[0]["messages"][-1] == {"role": "tool", "tool_call_id": "c1", "content": ""}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 6, "max_tokens": 5}, {"max_tokens": 6}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"temperature": 0.5, "top_p": 0.5, "top_k": 9}, {"temperature": 0.5, "p": 0.5, "k": 9}),
        ({"seed": 7, "logprobs": True}, {"seed": 7, "logprobs": True}),
        ({"frequency_penalty": 0.5}, {"frequency_penalty": 0.5}),
        ({"presence_penalty": 1}, {"presence_penalty": 1}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
        ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "strict": True, "schema": SCHEMA},
                }
            },
            {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
        ),
        ({"response_format": {"type": "text"}, "n": 1, "frequency_penalty": 0, "presence_penalty": 0.0}, {}),
        ({"parallel_tool_calls": True, "logprobs": False, "logit_bias": {}, "user": None}, {}),
    ],
)
def test_parameters_for_cohere(fields: JsonObject, expected: JsonObject) -> None:
    messages = [{"role": "user", "content": "hi"}]
    assert to_cohere(**fields) == ({"model": PLAIN, "messages": messages, **expected}, ())


@pytest.mark.parametrize(
    ("fields", "told", "dropped"),
    [
        ({"stop": ["a", "b", "c", "d", "e", "f"]}, {"stop_sequences": ["a", "b", "c", "d", "e"]}, ("stop",)),
        ({"temperature": 1.5}, {"temperature": 1}, ("temperature",)),
        ({"top_p": 1}, {"p": 0.99}, ("top_p",)),
        ({"top_p": 0}, {"p": 0.01}, ("top_p",)),
        ({"top_k": 501}, {"k": 500}, ("top_k",)),
        ({"frequency_penalty": -1, "presence_penalty": 2}, {"frequency_penalty": 0, "presence_penalty": 1}, ...),
        ({"n": 2, "user": "u", "logit_bias": {"1": 1}, "top_logprobs": 3}, {}, ...),
        ({"parallel_tool_calls": False, "metadata": {"a": "b"}, "unknown": 1}, {}, ...),
        ({"response_format": {"type": "json_object"}, "tools": [tool()]}, {}, ("response_format",)),
        ({"response_format": {"type": "grammar"}}, {}, ("response_format",)),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, {}, ("tools.custom",)),
        ({"reasoning_effort": "high"}, {}, ("reasoning_effort",)),
        ({"reasoning_effort": "none"}, {}, ()),
        ({"extra_content": {"anthropic": {"container": "c"}, "cohere": 3}}, {}, ("container",)),
        ({"extra_content": {"cohere": {"model": "x", "max_tokens": 9}}}, {}, ("model", "max_tokens")),
    ],
)
def test_what_cohere_cannot_be_told_is_named(fields: JsonObject, told: JsonObject, dropped: JsonValue) -> None:
    body, left_out = to_cohere(**fields)
    assert left_out == (tuple(fields) if dropped is ... else dropped)
    assert {key: body[key] for key in body.keys() - {"model", "messages", "tools"}} == told
    assert body["model"] == PLAIN


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"type": "file", "file": {"file_data": "x"}}, "messages.file"),
        ({"type": "input_audio", "input_audio": {"data": "x"}}, "messages.input_audio"),
        ({"type": "extra_content", "extra_content": {"anthropic": {"type": "document"}}}, "messages.document"),
    ],
)
def test_parts_that_cohere_has_no_place_for_are_named(part: JsonValue, name: str) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]
    body, dropped = to_cohere(messages=messages)
    assert (body["messages"][0]["content"], dropped) == ([{"type": "text", "text": "a"}], (name,))


def test_an_image_can_stand_in_a_users_turn_only() -> None:
    image = {"type": "image_url", "image_url": {"url": PNG}}
    messages = [{"role": "system", "content": [image]}, {"role": "user", "content": [image]}]
    body, dropped = to_cohere(messages=messages)
    assert (body["messages"], dropped) == ([{"role": "user", "content": [image]}], ("messages.image_url",))


@pytest.mark.parametrize(
    ("choice", "names", "expected"),
    [
        (None, ["w", "now"], None),
        ("auto", ["w", "now"], None),
        ("none", ["w", "now"], "NONE"),
        ("required", ["w", "now"], "REQUIRED"),
        ({"type": "function", "function": {"name": "now"}}, ["now"], "REQUIRED"),
    ],
)
def test_tools_and_their_choice(choice: JsonValue, names: list[str], expected: str | None) -> None:
    body, dropped = to_cohere(tools=[tool("w", description="d"), tool("now")], tool_choice=choice)
    assert [made["function"]["name"] for made in body["tools"]] == names
    assert (body.get("tool_choice"), dropped) == (expected, ())


def test_a_tool_without_parameters_gets_an_empty_schema_and_schemas_are_kept_whole() -> None:
    body, _ = to_cohere(tools=[tool("w", description="d"), {"type": "function", "function": {"name": "now"}}])
    assert [made["function"] for made in body["tools"]] == [
        {"name": "w", "description": "d", "parameters": SCHEMA},
        {"name": "now", "parameters": {"type": "object", "properties": {}}},
    ]


@pytest.mark.parametrize(
    ("flags", "strict", "dropped"),
    [((True, True), True, ()), ((True, False), None, ("tools.strict",)), ((None, False), None, ())],
)
def test_cohere_keeps_to_the_schemas_of_all_tools_or_of_none(
    flags: tuple[JsonValue, JsonValue], strict: bool | None, dropped: tuple[str, ...]
) -> None:
    body, left_out = to_cohere(tools=[tool("a", strict=flags[0]), tool("b", strict=flags[1])])
    assert (body.get("strict_tools"), left_out) == (strict, dropped)


def test_a_choice_without_tools_says_nothing_and_another_form_of_it_is_named() -> None:
    assert to_cohere(tool_choice="required")[0].keys() == {"model", "messages"}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}
    assert to_cohere(tools=[tool()], tool_choice=allowed)[1] == ("tool_choice",)


@pytest.mark.parametrize(
    ("fields", "thinking"),
    [
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"reasoning_effort": "low"}, {"type": "enabled", "token_budget": 2048}),
        ({"reasoning_effort": "high"}, {"type": "enabled"}),
        ({"reasoning_effort": "medium", "max_tokens": 4000}, {"type": "enabled", "token_budget": 3000}),
        ({"reasoning_effort": "minimal", "max_tokens": 10}, {"type": "enabled", "token_budget": 5}),
        ({"reasoning_effort": "low", "max_tokens": 1}, {"type": "enabled", "token_budget": 1}),
        ({}, None),
    ],
)
@pytest.mark.parametrize("model", [THINKING, "command-a-plus-05-2026", "command-reasoning-9", "a-fine-tuned-ft"])
def test_a_model_that_thinks_is_told_how_long(model: str, fields: JsonObject, thinking: JsonValue) -> None:
    body, dropped = to_cohere(model, **fields)
    assert (body.get("thinking"), dropped) == (thinking, ())


@pytest.mark.parametrize("effort", ["harder", "LOW"])
def test_an_effort_that_nobody_knows_is_named(effort: str) -> None:
    assert to_cohere(THINKING, reasoning_effort=effort)[1] == ("reasoning_effort",)


@pytest.mark.parametrize(
    "model",
    [
        "command",
        "command-r",
        "cohere/command-r7b-12-2024",
        "command-r-plus-08-2024",
        "command-a-vision-07-2025",
        "c4ai-aya-32b",
    ],
)
def test_older_and_special_models_do_not_think(model: str) -> None:
    assert to_cohere(model, reasoning_effort="low")[1] == ("reasoning_effort",)


THOUGHT = {"type": "thinking", "thinking": "hm"}
OWN = {"reasoning_content": "hm", "extra_content": {"cohere": {"thinking": True}}}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"content": "a"}, {"content": [THOUGHT, {"type": "text", "text": "a"}]}),
        ({"content": [{"type": "text", "text": "a"}]}, {"content": [THOUGHT, {"type": "text", "text": "a"}]}),
        ({"content": None}, {"content": [THOUGHT]}),
        ({"content": "p", "tool_calls": CALLS[:1]}, {"tool_calls": CALLS[:1], "tool_plan": "p", "content": [THOUGHT]}),
    ],
)
def test_coheres_own_thoughts_go_back_to_it(said: JsonObject, expected: JsonObject) -> None:
    body, dropped = to_cohere(THINKING, messages=[{"role": "assistant", **OWN, **said}])
    assert (body["messages"], dropped) == ([{"role": "assistant", **expected}], ())


@pytest.mark.parametrize(
    ("model", "message", "fields"),
    [
        (THINKING, {"reasoning_content": "hm"}, {}),
        (THINKING, {"reasoning_content": "hm", "extra_content": {"anthropic": {"thinking_blocks": []}}}, {}),
        (THINKING, OWN, {"reasoning_effort": "none"}),
        (PLAIN, OWN, {}),
    ],
)
def test_thoughts_of_others_and_those_that_are_not_asked_for_stay_here(
    model: str, message: JsonObject, fields: JsonObject
) -> None:
    body, dropped = to_cohere(model, messages=[{"role": "assistant", "content": "a", **message}], **fields)
    assert (body["messages"], dropped) == ([{"role": "assistant", "content": "a"}], ())


def test_documents_and_other_fields_of_coheres_can_be_set() -> None:
    own = {
        "documents": [{"id": "d", "data": {"text": "x"}}],
        "citation_options": {"mode": "FAST"},
        "safety_mode": "STRICT",
    }
    form = {"type": "json_object"}
    body, dropped = to_cohere(extra_content={"cohere": own}, response_format=form)
    assert ({key: body[key] for key in own}, dropped) == (own, ("response_format",))


def test_that_a_tool_failed_is_named() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": "{}"}}
    failed = {"role": "tool", "tool_call_id": "c", "content": "x", "extra_content": {"anthropic": {"is_error": True}}}
    body, dropped = to_cohere(messages=[{"role": "assistant", "tool_calls": [call]}, failed])
    assert (body["messages"][1]["content"], dropped) == ("x", ("messages.is_error",))


def test_a_request_of_messages_arrives_too() -> None:
    body = {
        "model": "m",
        "max_tokens": 9,
        "top_k": 3,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "text", "text": "p"},
                    {"type": "tool_use", "id": "t", "name": "w", "input": {"city": "Rome"}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "hot"}]},
        ],
        "tools": [{"name": "w", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "tool", "name": "w"},
    }
    request = ANTHROPIC_MESSAGES.decode_request(body)
    made, dropped = COHERE_CHAT.request_body(canonical_request(request, THINKING).body, THINKING)
    assert made == {
        "model": THINKING,
        "max_tokens": 9,
        "k": 3,
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s"}]},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "tool_calls": [{**CALLS[0], "id": "t"}], "tool_plan": "p"},
            {"role": "tool", "tool_call_id": "t", "content": "hot"},
        ],
        "tools": [tool()],
        "tool_choice": "REQUIRED",
    }
    assert dropped == ("cache_control",)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "function", "name": "w", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "assistant", "tool_calls": "x"}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "messages[0].tool_calls[0]"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "w", "arguments": {}}}]}]},
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"tools": "x"}, "tools"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}, "tools": [tool()]}, "tool_choice"),
        ({"frequency_penalty": "x"}, "frequency_penalty"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"top_k": 1.5}, "top_k"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: JsonObject, param: str) -> None:
    with pytest.raises(Refusal) as raised:
        to_cohere(**fields)
    assert (raised.value.status, raised.value.param) == (400, param)
