"""OpenAI's chat requests for Gemini: golden vectors, what is dropped, what is refused, there and back."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import canonical_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.gemini import GEMINI

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,JVBE"
SCHEMA = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/x"}},
    "$defs": {"x": {}},
    "additionalProperties": False,
}
FLASH = "gemini-3.1-flash-lite"
OLDER = "gemini-2.5-flash"
HI: JsonObject = {"role": "user", "content": "hi"}


def to_gemini(model: str = FLASH, **fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [HI], **fields})
    body, dropped = GOOGLE_GEMINI.request_body(canonical_request(request, model).body, model)
    return dict(body), dropped


def called(identifier: str, name: str, arguments: str = "", signature: str = "") -> JsonObject:
    call = {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {**call, "extra_content": {"google": {"thought_signature": signature}}} if signature else call


CONVERSATION: list[JsonObject] = [
    {"role": "system", "content": "one"},
    {"role": "developer", "content": [{"type": "text", "text": "two"}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "look"},
            {"type": "text", "text": ""},
            {"type": "image_url", "image_url": {"url": PNG, "detail": "auto"}},
            {"type": "image_url", "image_url": {"url": "https://host/x.JPG?size=1"}},
            {"type": "image_url", "image_url": {"url": "https://host/x"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        ],
    },
    {
        "role": "assistant",
        "content": "calling",
        "tool_calls": [called("c1", "w", '{"city":"Rome"}'), called("c2", "n")],
    },
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "noon"}]},
    {"role": "tool", "tool_call_id": "c1", "content": '{"degrees": 30}'},
    {"role": "user", "content": "thanks"},
]


def test_a_conversation_for_gemini() -> None:
    body, dropped = to_gemini(messages=CONVERSATION)
    assert dropped == ()
    assert body == {
        "systemInstruction": {"parts": [{"text": "one"}, {"text": "two"}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "look"},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://host/x.JPG?size=1"}},
                    {"fileData": {"fileUri": "https://host/x"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
                    {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "calling"},
                    {"functionCall": {"id": "c1", "name": "w", "args": {"city": "Rome"}}},
                    {"functionCall": {"id": "c2", "name": "n", "args": {}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c2", "name": "n", "response": {"output": "noon"}}},
                    {"functionResponse": {"id": "c1", "name": "w", "response": {"degrees": 30}}},
                    {"text": "thanks"},
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    "result", ["hot", "[1, 2]", "3", '"x"', "null", "", '{"a": oops}', '{"deep": ' + "[" * 100 + "]" * 100 + "}"]
)
def test_a_result_that_is_no_object_is_the_output_word_for_word(result: str) -> None:
    messages = [HI, {"role": "assistant", "tool_calls": [called("c", "w")]}]
    body, _ = to_gemini(messages=[*messages, {"role": "tool", "tool_call_id": "c", "content": result}])
    assert body["contents"][-1]["parts"][0]["functionResponse"]["response"] == {"output": result}


@pytest.mark.parametrize(("result", "error"), [("boom", "boom"), ('{"code": 3}', {"code": 3})])
def test_the_result_of_a_tool_that_failed_is_its_error(result: str, error: JsonValue) -> None:
    kept = {"extra_content": {"anthropic": {"is_error": True, "cache_control": {"type": "ephemeral"}}}}
    message = {"role": "tool", "tool_call_id": "c1", "content": result, **kept}
    calls = {"role": "assistant", "tool_calls": [called("c1", "w")]}
    body, dropped = to_gemini(messages=[HI, calls, message])
    assert body["contents"][2]["parts"][0]["functionResponse"]["response"] == {"error": error}
    assert dropped == ("cache_control",)


def test_a_result_goes_to_the_tool_that_was_last_called_with_its_id() -> None:
    steps = [
        {"role": "assistant", "tool_calls": [called("c", "first")]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
        {"role": "assistant", "tool_calls": [called("c", "second")]},
        {"role": "tool", "tool_call_id": "c", "content": "2"},
    ]
    body, _ = to_gemini(messages=[HI, *steps])
    names = [content["parts"][0]["functionResponse"]["name"] for content in body["contents"][2::2]]
    assert names == ["first", "second"]


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (
            FLASH,
            [
                {
                    "functionResponse": {
                        "id": "c",
                        "name": "w",
                        "response": {"output": "a\nb"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
                    }
                }
            ],
        ),
        (
            OLDER,
            [
                {"functionResponse": {"id": "c", "name": "w", "response": {"output": "a\nb"}}},
                {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            ],
        ),
    ],
)
def test_images_of_a_result_are_part_of_it_or_stand_beside_it(model: str, parts: list[JsonValue]) -> None:
    content = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "text", "text": "b"},
    ]
    steps = [{"role": "assistant", "tool_calls": [called("c", "w")]}]
    body, _ = to_gemini(model, messages=[HI, *steps, {"role": "tool", "tool_call_id": "c", "content": content}])
    assert body["contents"][-1]["parts"] == parts


def test_turns_of_one_role_are_one_turn_and_a_turn_that_says_nothing_is_none() -> None:
    turns = [
        HI,
        {"role": "user", "content": "ho"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "!"},
    ]
    body, _ = to_gemini(messages=turns)
    assert body["contents"] == [{"role": "user", "parts": [{"text": "hi"}, {"text": "ho"}, {"text": "!"}]}]


def test_what_a_model_refused_to_say_is_what_it_said() -> None:
    body, _ = to_gemini(messages=[HI, {"role": "assistant", "content": None, "refusal": "no"}, HI])
    assert body["contents"][1] == {"role": "model", "parts": [{"text": "no"}]}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([{"role": "function", "name": "w", "content": "x"}], "messages[0].role"),
        ([{"role": "system", "content": "x"}], "messages"),
        ([{"role": "user", "content": ""}], "messages"),
        ([HI, {"role": "tool", "tool_call_id": "c", "content": "x"}], "messages[1].tool_call_id"),
        ([HI, {"role": "tool", "tool_call_id": {}, "content": "x"}], "messages[1].tool_call_id"),
        ([{"role": "assistant", "tool_calls": "x"}], "messages[0].tool_calls"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "messages[0].tool_calls[0]"),
        ([{"role": "assistant", "tool_calls": [{"type": "custom", "custom": {}}]}], "messages[0].tool_calls[0]"),
        *(
            (
                [{"role": "assistant", "tool_calls": [called("c", "w", wrong)]}],
                "messages[0].tool_calls[0].function.arguments",
            )
            for wrong in ("oops", "[1]", "3", '{"a":', '{"a":' * 2000)
        ),
    ],
)
def test_messages_that_make_no_sense_are_refused(messages: list[JsonValue], param: str) -> None:
    with pytest.raises(Refusal) as raised:
        to_gemini(messages=messages)
    assert (raised.value.code, raised.value.param) == ("invalid_parameter", param)


@pytest.mark.parametrize(("fields", "param"), [({"tools": "x"}, "tools"), ({"stop": 5}, "stop")])
def test_parameters_that_are_no_list_are_refused(fields: JsonObject, param: str) -> None:
    with pytest.raises(Refusal) as raised:
        to_gemini(**fields)
    assert raised.value.param == param


TOOLS = [{"type": "function", "function": {"name": "w", "description": "d", "parameters": SCHEMA}}]
NOW = {"type": "function", "function": {"name": "now"}}
DECLARED = {"name": "w", "description": "d", "parametersJsonSchema": SCHEMA}


def allowed(mode: str, *names: str) -> JsonObject:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize(
    ("choice", "declared", "config"),
    [
        (None, [DECLARED, {"name": "now"}], None),
        ("auto", [DECLARED, {"name": "now"}], None),
        ("required", [DECLARED, {"name": "now"}], {"mode": "ANY"}),
        ("none", [DECLARED, {"name": "now"}], {"mode": "NONE"}),
        (
            {"type": "function", "function": {"name": "w"}},
            [DECLARED, {"name": "now"}],
            {"mode": "ANY", "allowedFunctionNames": ["w"]},
        ),
        (allowed("required", "w"), [DECLARED, {"name": "now"}], {"mode": "ANY", "allowedFunctionNames": ["w"]}),
        (allowed("auto", "w"), [DECLARED], None),
    ],
)
def test_tools_and_their_choice(choice: JsonValue, declared: list[JsonValue], config: JsonValue) -> None:
    body, dropped = to_gemini(tools=[*TOOLS, NOW], **({"tool_choice": choice} if choice else {}))
    assert body["tools"] == [{"functionDeclarations": declared}]
    assert body.get("toolConfig") == ({"functionCallingConfig": config} if config else None)
    assert dropped == ()


def test_a_strict_tool_asks_for_calls_that_fit_its_schema() -> None:
    strict = {"type": "function", "function": {"name": "w", "strict": True}}
    body, dropped = to_gemini(tools=[strict, NOW])
    assert (body["toolConfig"]["functionCallingConfig"], dropped) == ({"mode": "VALIDATED"}, ())
    assert to_gemini(tools=[strict], tool_choice="required")[0]["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"


def config_of(model: str = FLASH, **fields: JsonValue) -> tuple[JsonValue, tuple[str, ...]]:
    body, dropped = to_gemini(model, **fields)
    return body.get("generationConfig"), dropped


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, {"maxOutputTokens": 5}),
        ({"max_completion_tokens": 6, "max_tokens": 5}, {"maxOutputTokens": 6}),
        ({"stop": "END"}, {"stopSequences": ["END"]}),
        ({"stop": ["a", "b", "c", "d", "e"]}, {"stopSequences": ["a", "b", "c", "d", "e"]}),
        ({"temperature": 0, "top_p": 0.5, "top_k": 3}, {"temperature": 0, "topP": 0.5, "topK": 3}),
        ({"frequency_penalty": 1, "presence_penalty": -1}, {"frequencyPenalty": 1, "presencePenalty": -1}),
        ({"seed": -7}, {"seed": -7}),
        ({"n": 2}, {"candidateCount": 2}),
        ({"logprobs": True}, {"responseLogprobs": True}),
        ({"logprobs": True, "top_logprobs": 3}, {"responseLogprobs": True, "logprobs": 3}),
        ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": SCHEMA, "strict": True},
                }
            },
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        ),
        ({"stream": True, "stream_options": {"include_usage": True}}, None),
        ({"n": 1, "logprobs": False, "response_format": {"type": "text"}, "modalities": ["text"]}, None),
        ({"service_tier": "auto", "parallel_tool_calls": False, "temperature": None}, None),
        ({"parallel_tool_calls": True, "tools": TOOLS}, None),
    ],
)
def test_parameters_for_gemini(fields: JsonObject, expected: JsonValue) -> None:
    assert config_of(**fields) == (expected, ())


@pytest.mark.parametrize(
    ("fields", "beside"),
    [
        ({"service_tier": "flex"}, {"serviceTier": "flex"}),
        ({"service_tier": "default"}, {"serviceTier": "standard"}),
        ({"store": False}, {"store": False}),
    ],
)
def test_parameters_that_stand_beside_the_configuration(fields: JsonObject, beside: JsonObject) -> None:
    body, dropped = to_gemini(**fields)
    assert (body, dropped) == ({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **beside}, ())


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"logit_bias": {"1": 1}, "user": "u", "verbosity": "low"}, ("logit_bias", "user", "verbosity")),
        ({"seed": 1 << 40}, ("seed",)),
        ({"service_tier": "scale"}, ("service_tier",)),
        ({"stop": ["", "END"]}, ("stop",)),
        ({"stop": ["1", "2", "3", "4", "5", "6"]}, ("stop",)),
        ({"modalities": ["text", "audio"], "audio": {}}, ("modalities", "audio")),
        ({"response_format": {"type": "grammar"}}, ("response_format",)),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, ("tools.custom",)),
        ({"tools": TOOLS, "parallel_tool_calls": False}, ("parallel_tool_calls",)),
        ({"tools": TOOLS, "tool_choice": {"type": "custom", "custom": {"name": "x"}}}, ("tool_choice",)),
        ({"messages": [{**HI, "name": "ann"}]}, ("messages.name",)),
        ({"messages": [HI, {"role": "assistant", "audio": {"id": "a"}}]}, ("messages.audio",)),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "video_url"}]}]},
            ("messages.video_url",),
        ),
    ],
)
def test_what_gemini_cannot_be_told_is_named(fields: JsonObject, dropped: tuple[str, ...]) -> None:
    assert to_gemini(**fields)[1] == dropped


def test_what_asks_for_what_happens_anyway_has_no_name() -> None:
    anyway: JsonObject = {"logit_bias": {}, "frequency_penalty": 0, "presence_penalty": 0, "top_logprobs": 0}
    anyway |= {"n": 1, "logprobs": False, "service_tier": "auto", "modalities": ["text"], "parallel_tool_calls": True}
    assert config_of(OLDER, **anyway) == (None, ())


@pytest.mark.parametrize(
    ("part", "dropped"),
    [
        ({"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}, ("messages.image_url.detail",)),
        ({"type": "image_url", "image_url": {"url": "data:text/plain,x"}}, ("messages.image_url",)),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, ("messages.image_url",)),
        ({"type": "image_url", "image_url": {"url": "http://[oops/x.png"}}, ()),
        ({"type": "image_url"}, ("messages.image_url",)),
        ({"type": "file", "file": {"file_id": "f"}}, ("messages.file",)),
        ({"type": "text"}, ("messages.text",)),
        ({"type": "refusal", "refusal": 3}, ("messages.refusal",)),
        ({"type": "input_audio", "input_audio": {}}, ("messages.input_audio",)),
    ],
)
def test_parts_that_gemini_cannot_be_shown_are_named(part: JsonValue, dropped: tuple[str, ...]) -> None:
    content = [{"type": "text", "text": "x"}, part]
    assert to_gemini(messages=[{"role": "user", "content": content}])[1] == dropped


def test_a_data_uri_may_have_parameters() -> None:
    url = "data:image/png;charset=utf-8;name=a.png;base64,AAAA"
    body, _ = to_gemini(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}])
    assert body["contents"][0]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]


def test_a_jpeg_goes_by_its_registered_name() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}}
    body, _ = to_gemini(messages=[{"role": "user", "content": [part]}])
    assert body["contents"][0]["parts"] == [{"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}}]


def test_an_image_that_a_model_made_is_shown_to_it_again() -> None:
    image = {"type": "image_url", "image_url": {"url": PNG}, "index": 0}
    body, _ = to_gemini(messages=[HI, {"role": "assistant", "content": "", "images": [image]}, HI])
    assert body["contents"][1]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]


@pytest.mark.parametrize(
    ("model", "effort", "config", "dropped"),
    [
        ("gemini-3.1-pro-preview", "low", {"thinkingLevel": "LOW", "includeThoughts": True}, ()),
        ("gemini-3.1-pro-preview", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}, ()),
        ("gemini-3.1-pro-preview", "none", {"thinkingLevel": "LOW"}, ("reasoning_effort",)),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}, ()),
        ("gemini-3.1-flash-lite", "none", {"thinkingLevel": "MINIMAL"}, ("reasoning_effort",)),
        ("gemini-3.7-flash", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}, ()),
        ("gemini-3.7-flash-lite", "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}, ()),
        ("models/gemini-3.8-flash", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}, ()),
        ("gemini-flash-latest", "xhigh", {"thinkingLevel": "HIGH", "includeThoughts": True}, ()),
        ("gemini-4-argon", "high", {"thinkingLevel": "HIGH", "includeThoughts": True}, ()),
        ("gemini-2.5-flash", "low", {"thinkingBudget": 1024, "includeThoughts": True}, ()),
        ("gemini-2.5-flash", "medium", {"thinkingBudget": 8192, "includeThoughts": True}, ()),
        ("gemini-2.5-flash", "max", {"thinkingBudget": 24_576, "includeThoughts": True}, ()),
        ("gemini-2.5-flash-lite", "none", {"thinkingBudget": 0}, ()),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32_768, "includeThoughts": True}, ()),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}, ("reasoning_effort",)),
        ("gemini-2.5-flash-image", "low", None, ("reasoning_effort",)),
        ("gemini-2.0-flash", "low", None, ("reasoning_effort",)),
        ("gemini-1.5-pro", "low", None, ("reasoning_effort",)),
        ("gemini-pro", "none", None, ()),
        ("gemma-3-27b-it", "none", None, ()),
        ("gemma-3-27b-it", "low", None, ("reasoning_effort",)),
        ("gemini-3.8-flash", "unheard-of", None, ("reasoning_effort",)),
    ],
)
def test_a_model_thinks_as_hard_as_it_is_told_in_its_own_terms(
    model: str, effort: str, config: JsonValue, dropped: tuple[str, ...]
) -> None:
    expected = {"thinkingConfig": config} if config else None
    assert config_of(model, reasoning_effort=effort) == (expected, dropped)


@pytest.mark.parametrize(("model", "taken"), [(FLASH, True), (OLDER, False), ("gemini-2.0-flash", True)])
def test_penalties_are_for_models_that_take_them(model: str, taken: bool) -> None:
    config, dropped = config_of(model, presence_penalty=1)
    assert (bool(config), dropped) == (taken, () if taken else ("presence_penalty",))


@pytest.mark.parametrize("form", [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"schema": SCHEMA}}])
@pytest.mark.parametrize(
    ("model", "taken"),
    [
        (FLASH, True),
        ("gemini-flash-latest", True),
        (OLDER, False),
        ("gemini-2.0-flash", False),
        ("gemini-1.5-pro", False),
    ],
)
def test_only_newer_models_answer_in_json_beside_tools(form: JsonObject, model: str, taken: bool) -> None:
    config, dropped = config_of(model, response_format=form, tools=TOOLS)
    assert (bool(config), dropped) == (taken, () if taken else ("response_format",))
    assert config_of(model, response_format=form)[1] == ()


def steps_of(*signatures: str) -> list[JsonObject]:
    """A step for each signature: one call and its result."""
    steps: list[JsonObject] = []
    for number, signature in enumerate(signatures):
        steps.append({"role": "assistant", "tool_calls": [called(f"c{number}", "w", "{}", signature)]})
        steps.append({"role": "tool", "tool_call_id": f"c{number}", "content": "x"})
    return steps


def signatures_in(body: JsonObject) -> list[str | None]:
    parts = [part for content in body["contents"] for part in content["parts"] if "functionCall" in part]
    return [part.get("thoughtSignature") for part in parts]


SKIP = "skip_thought_signature_validator"


@pytest.mark.parametrize("model", [FLASH, OLDER])
def test_signatures_come_back_as_they_were(model: str) -> None:
    assert signatures_in(to_gemini(model, messages=[HI, *steps_of("Q2/+=", "Zm8")])[0]) == ["Q2/+=", "Zm8"]


def test_a_step_of_the_current_turn_without_a_signature_gets_the_one_that_is_documented_for_it() -> None:
    assert signatures_in(to_gemini(messages=[HI, *steps_of("", "b")])[0]) == [SKIP, "b"]
    assert signatures_in(to_gemini(messages=[HI, *steps_of("", "")])[0]) == [SKIP, SKIP]
    assert signatures_in(to_gemini(messages=[HI, *steps_of(""), HI, *steps_of("")])[0]) == [None, SKIP]
    assert signatures_in(to_gemini(OLDER, messages=[HI, *steps_of("", "")])[0]) == [None, None]


@pytest.mark.parametrize(("first", "expected"), [("a", ["a", None]), ("", [SKIP, None])])
def test_only_the_first_of_parallel_calls_is_signed(first: str, expected: list[JsonValue]) -> None:
    step = {"role": "assistant", "tool_calls": [called("1", "w", "", first), called("2", "w")]}
    results = [{"role": "tool", "tool_call_id": number, "content": "x"} for number in "12"]
    assert signatures_in(to_gemini(messages=[HI, step, *results])[0]) == expected


@pytest.mark.parametrize(
    ("content", "parts"),
    [("x", [{"text": "x", "thoughtSignature": "sig"}]), (None, [{"text": "", "thoughtSignature": "sig"}])],
)
def test_the_signature_of_text_comes_back_with_it(content: JsonValue, parts: list[JsonValue]) -> None:
    kept = {"google": {"thought_signature": "sig"}}
    turn = {"role": "assistant", "content": content, "reasoning_content": "hm", "extra_content": kept}
    assert to_gemini(messages=[HI, turn, HI])[0]["contents"][1]["parts"] == parts


@pytest.mark.parametrize("kept", [{"google": 3}, {"google": {"thought_signature": 3}}, {"anthropic": {"a": 1}}])
def test_an_extension_of_another_shape_is_no_signature(kept: JsonValue) -> None:
    turn = {"role": "assistant", "content": "x", "extra_content": kept}
    body, dropped = to_gemini(messages=[HI, turn, HI])
    assert (body["contents"][1]["parts"], dropped) == ([{"text": "x"}], ())


def test_a_request_of_anthropics_format() -> None:
    source = {
        "model": "m",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "w", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "web_search"}],
        "container": "c",
        "messages": [
            HI,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "toolu_1", "name": "w", "input": {"a": 1}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "hot"}]},
        ],
    }
    canonical = canonical_request(ANTHROPIC_MESSAGES.decode_request(source), FLASH).body
    body, dropped = GOOGLE_GEMINI.request_body(canonical, FLASH)
    assert dropped == ("cache_control", "tools.web_search_20250305", "container")
    call = {"functionCall": {"id": "toolu_1", "name": "w", "args": {"a": 1}}, "thoughtSignature": SKIP}
    result = {"functionResponse": {"id": "toolu_1", "name": "w", "response": {"output": "hot"}}}
    assert body == {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [result]},
        ],
        "tools": [{"functionDeclarations": [{"name": "w", "parametersJsonSchema": SCHEMA}]}],
        "generationConfig": {"maxOutputTokens": 9},
    }


# There and back: what survives the translation, read by an upstream that was written apart from it.
names = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=5)
texts = st.text(min_size=1, max_size=8)
values = json_values(st.none() | st.booleans() | st.integers(-9, 9) | names, names)
objects = st.dictionaries(names, values, max_size=2).map(lambda value: json.dumps(value, separators=(",", ":")))
images = st.just({"type": "image_url", "image_url": {"url": PNG}}) | st.just(
    {"type": "image_url", "image_url": {"url": "https://host/x.png"}}
)
pictures = st.lists(images | texts.map(lambda text: {"type": "text", "text": text}), min_size=2, max_size=3)
users = st.builds(lambda content: {"role": "user", "content": content}, texts | pictures)
spoken = texts.map(lambda text: {"role": "assistant", "content": text})


@st.composite
def tool_steps(draw: st.DrawFn) -> list[JsonObject]:
    """A step: text perhaps, calls with ids of their own, and their results."""
    ids = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    calls = [called(one, draw(names), draw(objects), draw(st.just("") | names)) for one in ids]
    # A text that is an object of one `output` would come back as that output.
    outcome = st.builds(lambda text: f"~{text}", texts) | objects.filter(
        lambda text: list(json.loads(text)) != ["output"]
    )
    results = [{"role": "tool", "tool_call_id": one, "content": draw(outcome)} for one in ids]
    return [{"role": "assistant", "content": draw(st.none() | texts), "tool_calls": calls}, *results]


conversations = st.builds(
    lambda rules, *turns: [*rules, *(message for turn in turns for message in turn)],
    st.lists(texts.map(lambda text: {"role": "system", "content": text}), max_size=2),
    users.map(lambda one: [one]),
    st.lists(tool_steps(), max_size=2).map(lambda steps: [one for step in steps for one in step]),
    spoken.map(lambda one: [one]),
    users.map(lambda one: [one]),
)
requests = st.fixed_dictionaries(
    {"messages": conversations},
    optional={
        "temperature": st.floats(0, 2, allow_nan=False),
        "top_p": st.floats(0, 1, allow_nan=False),
        "top_k": st.integers(1, 9),
        "max_completion_tokens": st.integers(1, 99),
        "stop": st.lists(names, min_size=1, max_size=2),
        "seed": st.integers(-(2**31), 2**31 - 1),
        "n": st.integers(2, 4),
        "frequency_penalty": st.floats(-2, 2, allow_nan=False),
        "tools": st.just(TOOLS),
        "response_format": st.just({"type": "json_object"})
        | st.just({"type": "json_schema", "json_schema": {"name": "output", "schema": SCHEMA}}),
    },
)


@promised()
@given(
    requests,
    st.none() | st.just("required") | st.just("none") | st.just({"type": "function", "function": {"name": "w"}}),
)
def test_p8_a_request_there_and_back_is_the_same(fields: JsonObject, choice: JsonValue) -> None:
    if choice is not None and "tools" in fields:
        fields["tool_choice"] = choice
    body, dropped = to_gemini("gemini-2.0-flash", **fields)
    assert dropped == (("response_format",) if {"tools", "response_format"} <= fields.keys() else ())
    for name in dropped:
        del fields[name]
    assert GEMINI.conversation(json.loads(json.dumps(body))) == fields


short = st.text(max_size=4)
anything = json_values(st.none() | st.booleans() | st.integers() | short, short, width=3)
extensions = st.none() | st.dictionaries(st.sampled_from(["google", "anthropic"]), anything, max_size=2)
functions = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from("ab"),
        "arguments": short | objects,
        "parameters": st.none(),
        "strict": st.booleans(),
    },
)
wild_calls = st.fixed_dictionaries(
    {},
    optional={"id": st.none() | st.sampled_from("12"), "function": st.none() | functions, "extra_content": extensions},
)
wild_parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "file", "input_audio", "refusal", "extra_content"]) | short},
    optional={
        "text": st.none() | short,
        "refusal": anything,
        "image_url": st.none()
        | short
        | st.fixed_dictionaries({"url": short | st.just(PNG)}, optional={"detail": short}),
        "file": st.fixed_dictionaries({}, optional={"file_data": st.none() | short | st.just(PDF)}),
        "input_audio": st.none() | st.dictionaries(st.sampled_from(["data", "format"]), anything),
        "extra_content": extensions,
        "cache_control": anything,
    },
)
wild_messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "function"])},
    optional={
        "content": st.none() | short | st.lists(wild_parts, max_size=3),
        "tool_calls": st.none() | st.lists(wild_calls, max_size=2),
        "tool_call_id": st.none() | st.sampled_from("12"),
        "images": anything | st.lists(wild_parts, max_size=2),
        "extra_content": extensions,
        "refusal": st.none() | short,
        "audio": anything,
    },
)
choices = short | st.fixed_dictionaries({"type": short}, optional={"function": functions, "allowed_tools": anything})
wild_fields = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.none()
        | st.lists(st.fixed_dictionaries({}, optional={"function": functions, "type": short}), max_size=2),
        "tool_choice": choices | st.sampled_from([allowed("auto", "a"), allowed("none", "b"), "required"]),
        "response_format": st.fixed_dictionaries({"type": short}, optional={"json_schema": st.none()}),
        "reasoning_effort": short,
        "stop": st.none() | short | st.lists(short, max_size=2),
        "seed": st.integers(),
        "service_tier": short,
        **dict.fromkeys(("store", "modalities", "images", "unknown"), anything),
    },
)


@promised()
@given(st.lists(wild_messages, max_size=4), wild_fields, st.sampled_from([FLASH, OLDER, "m"]))
def test_p9_a_request_of_any_shape_is_written_or_refused(
    messages: list[JsonValue], fields: JsonValue, model: str
) -> None:
    with suppress(Refusal):
        assert to_gemini(model, messages=[HI, *messages], **fields)[0]["contents"]
