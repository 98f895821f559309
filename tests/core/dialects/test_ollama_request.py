"""OpenAI's chat requests as Ollama's: golden vectors, what is named, what is refused, and there and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.ollama_chat import OllamaChat
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import canonical_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.ollama import OLLAMA

SCHEMA = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/x"}},
    "$defs": {"x": {}},
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "w", "description": "d", "parameters": SCHEMA}}


def to_ollama(
    api: OllamaChat | None = None, target: str = "m", **fields: JsonValue
) -> tuple[JsonObject, tuple[str, ...]]:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    canonical = canonical_request(OPENAI_CHAT.decode_request(body), target).body
    made, dropped = (api or OllamaChat()).request_body(canonical, target)
    return dict(made), dropped


def refused(**fields: JsonValue) -> Refusal:
    with pytest.raises(Refusal) as raised:
        to_ollama(**fields)
    assert raised.value.status == 400
    return raised.value


def test_a_plain_request_says_whether_to_stream_and_that_nothing_is_to_be_cut() -> None:
    assert to_ollama() == (
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": False,
            "truncate": False,
            "shift": False,
        },
        (),
    )
    assert to_ollama(stream=True, stream_options={"include_usage": True})[0]["stream"] is True


CONVERSATION: list[JsonObject] = [
    {"role": "system", "content": "one"},
    {"role": "developer", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "image_url", "image_url": "DATA:;BASE64,BBBB"},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}},
            {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "c2", "content": "noon"},
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "hot"}]},
    {"role": "tool", "tool_call_id": "c9", "content": "whose?"},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "reasoning": "hm hm"},
]


def test_a_conversation_for_ollama() -> None:
    body, dropped = to_ollama(messages=CONVERSATION)
    assert dropped == ("messages.image_url.detail",)
    assert body["messages"] == [
        {"role": "system", "content": "one"},
        {"role": "system", "content": "two\nthree"},
        {"role": "user", "content": "look", "images": ["AAAA", "BBBB"]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "hm",
            "tool_calls": [
                {"id": "c1", "function": {"index": 0, "name": "w", "arguments": {"city": "Rome"}}},
                {"id": "c2", "function": {"index": 1, "name": "now", "arguments": {}}},
            ],
        },
        {"role": "tool", "content": "noon", "tool_call_id": "c2", "tool_name": "now"},
        {"role": "tool", "content": "hot", "tool_call_id": "c1", "tool_name": "w"},
        {"role": "tool", "content": "whose?", "tool_call_id": "c9"},
        {"role": "assistant", "content": "no", "thinking": "hm hm"},
    ]


CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
SEEN = {
    "role": "tool",
    "tool_call_id": "c",
    "content": [{"type": "text", "text": "here"}, {"type": "image_url", "image_url": "data:;base64,AAAA"}],
}


def test_pictures_of_a_tool_follow_its_result_in_a_message_of_the_user_and_thoughts_stay_where_they_were() -> None:
    body, dropped = to_ollama(
        messages=[
            {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]},
            SEEN,
            {"role": "assistant", "content": "a cat", "reasoning_content": "aha"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            SEEN,
        ]
    )
    shown = {"role": "user", "content": "From the result of the tool look:", "images": ["AAAA"]}
    result = {"role": "tool", "content": "here", "tool_call_id": "c", "tool_name": "look"}
    called = [{"id": "c", "function": {"index": 0, "name": "look", "arguments": {}}}]
    assert body["messages"] == [
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": called},
        result,
        shown,
        {"role": "assistant", "content": "a cat", "thinking": "aha"},
        {"role": "assistant", "content": "", "tool_calls": called},
        result,
        shown,
    ]
    assert dropped == ()


def test_after_pictures_of_a_tool_a_refusal_still_names_the_clients_own_message() -> None:
    assert refused(messages=[SEEN, {"role": "function", "content": "x"}]).param == "messages[1].role"


@pytest.mark.parametrize("content", [None, "", []], ids=repr)
def test_an_earlier_refusal_is_said_where_there_is_no_content(content: JsonValue) -> None:
    body, dropped = to_ollama(messages=[{"role": "assistant", "content": content, "refusal": "I cannot."}])
    assert body["messages"] == [{"role": "assistant", "content": "I cannot."}]
    assert dropped == ()


def test_an_earlier_refusal_beside_content_is_not_said_twice() -> None:
    body, _ = to_ollama(messages=[{"role": "assistant", "content": "No.", "refusal": "I cannot."}])
    assert body["messages"] == [{"role": "assistant", "content": "No."}]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, {"options": {"num_predict": 5}}),
        ({"max_completion_tokens": 6, "max_tokens": 5}, {"options": {"num_predict": 6}}),
        ({"stop": "END"}, {"options": {"stop": ["END"]}}),
        ({"stop": ["a", "b"]}, {"options": {"stop": ["a", "b"]}}),
        (
            {"temperature": 0, "top_p": 0.5, "min_p": 0.1, "seed": 7},
            {"options": {"temperature": 0, "top_p": 0.5, "min_p": 0.1, "seed": 7}},
        ),
        (
            {"presence_penalty": -1, "frequency_penalty": 1.5, "top_k": 3},
            {"options": {"top_k": 3, "presence_penalty": -1, "frequency_penalty": 1.5}},
        ),
        ({"response_format": {"type": "text"}}, {}),
        ({"response_format": {"type": "json_object"}}, {"format": "json"}),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, {"format": "json"}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
            {"format": SCHEMA},
        ),
        ({"tools": [TOOL]}, {"tools": [TOOL]}),
        ({"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": True}, {"tools": [TOOL]}),
        ({"tools": [TOOL], "tool_choice": "none"}, {}),
        (
            {"tools": [{"type": "function", "function": {"name": "now", "strict": False}}]},
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
                    }
                ]
            },
        ),
        ({"logprobs": True, "top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ({"logprobs": False, "n": 1, "service_tier": "auto", "store": False, "user": None}, {}),
        ({"reasoning_effort": "none"}, {"think": False}),
        ({"reasoning_effort": "medium"}, {"think": True}),
    ],
)
def test_parameters_for_ollama(fields: JsonObject, expected: JsonObject) -> None:
    plain, _ = to_ollama()
    assert to_ollama(**fields) == ({**plain, **expected}, ())


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"n": 2}, ("n",)),
        ({"user": "u", "logit_bias": {"1": 2}, "unknown": 1}, ("user", "logit_bias", "unknown")),
        ({"stop": ["", "END"]}, ("stop",)),
        ({"tools": [TOOL], "tool_choice": "required"}, ("tool_choice",)),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "w"}}}, ("tool_choice",)),
        ({"tools": [TOOL], "parallel_tool_calls": False}, ("parallel_tool_calls",)),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, ("tools.custom",)),
        ({"tools": [{"type": "function", "function": {"name": "w", "strict": True}}]}, ("tools.strict",)),
        ({"response_format": {"type": "grammar"}}, ("response_format",)),
        ({"reasoning_effort": "ultra"}, ("reasoning_effort",)),
    ],
)
def test_what_ollama_cannot_be_told_is_named(fields: JsonObject, dropped: tuple[str, ...]) -> None:
    assert to_ollama(**fields)[1] == dropped


@pytest.mark.parametrize(
    ("part", "dropped"),
    [
        ({"type": "image_url", "image_url": {"url": "https://host/x.png"}}, "messages.image_url"),
        ({"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}}, "messages.image_url"),
        ({"type": "image_url"}, "messages.image_url"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "messages.input_audio"),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}}, "messages.file"),
        ({"type": "extra_content", "extra_content": {"anthropic": {"type": "document"}}}, "messages.document"),
    ],
)
def test_a_part_that_ollama_has_no_place_for_is_named(part: JsonObject, dropped: str) -> None:
    body, left_out = to_ollama(messages=[{"role": "user", "content": [{"type": "text", "text": "look"}, part]}])
    assert (body["messages"], left_out) == ([{"role": "user", "content": "look"}], (dropped,))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "function", "name": "w", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": ["odd"]}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"text": "no type"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": 3}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0]"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": {}}, "tools"),
        ({"stop": 3}, "stop"),
        ({"reasoning_effort": ["low"]}, "reasoning_effort"),
        ({"seed": "7"}, "seed"),
        ({"top_k": 1.5}, "top_k"),
        ({"min_p": 2}, "min_p"),
        ({"presence_penalty": True}, "presence_penalty"),
    ],
)
def test_h23_h24_what_the_server_would_fail_on_is_refused_here(fields: JsonObject, param: str) -> None:
    assert refused(**fields).param == param


@pytest.mark.parametrize("arguments", ["oops", "[1]", "3", 7])
def test_arguments_that_are_no_object_are_refused(arguments: JsonValue) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": arguments}}
    refusal = refused(messages=[{"role": "assistant", "tool_calls": [call]}])
    assert refusal.param == "messages[0].tool_calls[0].function.arguments"


def test_what_the_server_is_told_in_every_request() -> None:
    api = OllamaChat(num_ctx=8192, keep_alive_s=-1, truncate=True)
    for _ in range(2):  # a request leaves nothing behind for the next
        body, dropped = to_ollama(api, temperature=1)
        assert body == {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": False,
            "keep_alive": -1,
            "options": {"num_ctx": 8192, "temperature": 1},
        }
        assert dropped == ()
    assert to_ollama(api)[0]["options"] == {"num_ctx": 8192}


LEVELS = {"none": False, "minimal": "low", "low": "low", "medium": "medium", "high": "high", "max": "high"}


@pytest.mark.parametrize("effort", LEVELS)
@pytest.mark.parametrize(
    ("model", "has_levels"),
    [
        *(
            ("gpt-oss", True),
            ("gpt-oss:20b", True),
            ("library/gpt-oss", True),
            ("hf.co/unsloth/GPT-OSS-20B-GGUF", True),
        ),
        *(("qwen3:8b", False), ("deepseek-r1", False), ("hf.co/unsloth/Qwen3-4B-GGUF:Q4_K_M", False)),
    ],
)
def test_only_gpt_oss_is_told_how_hard_to_think(model: str, has_levels: bool, effort: str) -> None:
    """Of other models the server refuses a level: `think value "medium" is not supported for this model`."""
    body, dropped = to_ollama(target=model, reasoning_effort=effort)
    assert (body["think"], dropped) == (LEVELS[effort] if has_levels else effort != "none", ())


def test_models_that_cannot_think_are_not_told_to() -> None:
    api = OllamaChat(think=False)
    body, dropped = to_ollama(api, reasoning_effort="low")
    assert ("think" in body, dropped) == (False, ("reasoning_effort",))
    assert to_ollama(api, reasoning_effort="none")[0]["think"] is False


def test_that_a_tool_failed_is_named() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": "{}"}}
    failed = {"role": "tool", "tool_call_id": "c", "content": "x", "extra_content": {"anthropic": {"is_error": True}}}
    body, dropped = to_ollama(messages=[{"role": "assistant", "tool_calls": [call]}, failed])
    assert (body["messages"][1]["content"], dropped) == ("x", ("messages.is_error",))


def test_a_request_of_messages_reaches_ollama_and_its_own_fields_are_named() -> None:
    body = {
        "model": "m",
        "max_tokens": 9,
        "top_k": 3,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "hi"}],
        "container": "c",
    }
    request = ANTHROPIC_MESSAGES.decode_request(body)
    made, dropped = OllamaChat().request_body(canonical_request(request, "m").body, "m")
    assert made["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]
    assert made["options"] == {"num_predict": 9, "top_k": 3}
    assert dropped == ("container", "cache_control")


# There and back: what Ollama is told says what the client said.
names = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=5)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
values = json_values(st.none() | st.booleans() | st.integers(-9, 9) | texts, names)
compact = st.dictionaries(names, values, max_size=2).map(
    lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
)
calls = st.builds(
    lambda id_, name, arguments: {
        "id": id_,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    names,
    names,
    compact,
)
images = st.just({"type": "image_url", "image_url": {"url": "data:;base64,AAAA"}})
looks = st.builds(lambda text, image: [{"type": "text", "text": text}, image], texts, images)
users = st.builds(lambda content: {"role": "user", "content": content}, texts | looks)
answers = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": texts}, optional={"reasoning_content": texts}
) | st.builds(lambda made: {"role": "assistant", "content": None, "tool_calls": made}, st.lists(calls, min_size=1))
results = st.builds(lambda id_, text: {"role": "tool", "content": text, "tool_call_id": id_}, names, texts)
systems = st.builds(lambda text: {"role": "system", "content": text}, texts)
requests = st.fixed_dictionaries(
    {"messages": st.lists(systems | users | answers | results, min_size=1, max_size=5)},
    optional={
        "max_tokens": st.integers(1, 99),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "seed": st.integers(0, 9),
        "stop": st.lists(names, min_size=1, max_size=2),
        "stream": st.just(True),
        "tools": st.just([TOOL]),
        "reasoning_effort": st.sampled_from(["none", "low", "medium", "high"]),
        "response_format": st.just({"type": "json_object"})
        | st.just({"type": "json_schema", "json_schema": {"name": "output", "schema": SCHEMA}}),
    },
)


@promised()
@given(requests)
def test_p8_a_request_there_and_back_is_the_same(fields: JsonObject) -> None:
    body, dropped = to_ollama(target="gpt-oss", **fields)
    assert dropped == ()
    assert OLLAMA.conversation(json.loads(json.dumps(body))) == fields


FIELDS = [
    *("messages", "tools", "tool_choice", "stop", "response_format", "reasoning_effort", "logprobs", "top_logprobs"),
    *("seed", "top_k", "min_p", "presence_penalty", "frequency_penalty", "extra_content", "n", "unknown"),
]
KEYS = "role content tool_calls tool_call_id type text image_url url function name arguments extra_content strict"
words = st.sampled_from(["user", "assistant", "tool", "text", "image_url", "extra_content", "function", "{}", ""])
anything = json_values(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    st.sampled_from(KEYS.split()),
)
messages = st.lists(
    st.fixed_dictionaries({"role": words}, optional={key: anything for key in KEYS.split() if key != "role"}),
    min_size=1,
    max_size=2,
)


@given(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4), st.none() | messages)
def test_h23_whatever_a_client_sends_is_written_or_refused(fields: JsonObject, said: JsonValue) -> None:
    if said is not None:
        fields = {**fields, "messages": said}
    try:
        body, dropped = to_ollama(**fields)
    except Refusal:
        return
    assert all(isinstance(message["content"], str) for message in body["messages"])
    assert all(isinstance(name, str) for name in dropped)
