"""Chat requests for Anthropic: what its API refuses does not reach it."""

from __future__ import annotations

import base64
import re

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.thoughts import without_thoughts
from sentinel_core.dialects.translation import translated_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue

HELLO: list[JsonObject] = [{"role": "user", "content": "hi"}]
TOOLS = [{"type": "function", "function": {"name": "w", "parameters": {"type": "object", "properties": {}}}}]
CALL = {"id": "c", "type": "function", "function": {"name": "w", "arguments": "{}"}}
SONNET = "claude-sonnet-4-6"


def to_anthropic(model: str = SONNET, **fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": HELLO, **fields})
    translated, dropped = translated_request(request, ANTHROPIC_MESSAGES, model)
    return dict(translated.body), dropped


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", SONNET, "claude-opus-5"])
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "w"}}])
def test_no_model_thinks_beside_a_forced_tool(model: str, choice: JsonValue) -> None:
    body, dropped = to_anthropic(model, reasoning_effort="high", tools=TOOLS, tool_choice=choice)
    assert "thinking" not in body
    assert dropped == ("reasoning_effort",)


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", SONNET])
@pytest.mark.parametrize(
    ("fields", "kept", "dropped"),
    [
        ({"temperature": 0.2}, {}, ("temperature",)),
        ({"temperature": 1}, {"temperature": 1}, ()),
        ({"temperature": 1.5}, {"temperature": 1}, ("temperature",)),
        ({"top_p": 0.5, "top_k": 3}, {}, ("top_p", "top_k")),
    ],
)
def test_a_model_that_thinks_is_sampled_as_anthropic_samples(
    model: str, fields: JsonObject, kept: JsonObject, dropped: tuple[str, ...]
) -> None:
    body, left_out = to_anthropic(model, reasoning_effort="high", **fields)
    assert {key: body[key] for key in ("temperature", "top_p", "top_k") if key in body} == kept
    assert left_out == dropped
    assert "thinking" in body


def test_a_newer_model_thinks_on_from_a_call_whose_thinking_is_not_at_hand() -> None:
    result = {"role": "tool", "tool_call_id": "c", "content": "1"}
    messages = [*HELLO, {"role": "assistant", "tool_calls": [CALL]}, result]
    body, dropped = to_anthropic(messages=messages, reasoning_effort="high")
    assert (body["thinking"], dropped) == ({"type": "adaptive"}, ())


def test_text_of_nothing_but_space_is_left_out() -> None:
    x, space = {"type": "text", "text": "x"}, {"type": "text", "text": "\n"}
    messages = [
        {"role": "system", "content": " \n"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "\n\n", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": [x, space]},
        {"role": "assistant", "content": " "},
        {"role": "user", "content": [space]},
        {"role": "user", "content": "\t"},
        {"role": "user", "content": " b\n"},
    ]
    body, dropped = to_anthropic(messages=messages)
    assert "system" not in body
    assert body["messages"] == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "w", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [x]}]},
        {"role": "user", "content": " b\n"},
    ]
    assert dropped == ()


@pytest.mark.parametrize("content", [None, "", []], ids=repr)
def test_an_earlier_refusal_is_said_where_there_is_no_content(content: JsonValue) -> None:
    refusal = {"role": "assistant", "content": content, "refusal": "I cannot."}
    body, dropped = to_anthropic(messages=[*HELLO, refusal, *HELLO])
    assert body["messages"][1] == {"role": "assistant", "content": "I cannot."}
    assert dropped == ()


def test_an_earlier_refusal_stands_before_the_calls_and_not_beside_content() -> None:
    refusal = {"role": "assistant", "refusal": "I cannot."}
    messages = [*HELLO, {**refusal, "tool_calls": [CALL]}, {**refusal, "content": "No."}]
    body, _ = to_anthropic(messages=messages)
    assert [turn["content"] for turn in body["messages"][1:]] == [
        [{"type": "text", "text": "I cannot."}, {"type": "tool_use", "id": "c", "name": "w", "input": {}}],
        "No.",
    ]


@pytest.mark.parametrize("message", [{"role": "system", "content": "be brief"}, {"role": "user", "content": " "}])
def test_a_conversation_in_which_nobody_speaks_is_refused(message: JsonObject) -> None:
    with pytest.raises(Refusal) as raised:
        to_anthropic(messages=[message])
    assert (raised.value.code, raised.value.param) == ("invalid_parameter", "messages")


def test_a_jpeg_goes_by_its_registered_name() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}}
    body, _ = to_anthropic(messages=[{"role": "user", "content": [part]}])
    assert body["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"


RESULT = {"role": "tool", "tool_call_id": "c", "content": "1"}
CALLED: list[JsonObject] = [*HELLO, {"role": "assistant", "tool_calls": [CALL]}, RESULT]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tools": []},
        {"tools": None, "tool_choice": "required", "parallel_tool_calls": False},
        {"reasoning_effort": "low"},
    ],
    ids=repr,
)
def test_the_tools_of_earlier_turns_are_declared_and_not_called_where_a_turn_offers_none(
    fields: JsonObject,
) -> None:
    body, dropped = to_anthropic(messages=[*CALLED, {"role": "assistant", "tool_calls": [CALL]}, RESULT], **fields)
    assert body["tools"] == [{"name": "w", "input_schema": {"type": "object", "properties": {}}}]
    assert (body["tool_choice"], dropped) == ({"type": "none"}, ())


def test_a_turn_that_offers_tools_offers_its_own_alone() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    body, _ = to_anthropic(messages=CALLED, tools=[other])
    assert [tool["name"] for tool in body["tools"]] == ["other"]
    assert "tool_choice" not in body
    assert "tools" not in to_anthropic()[0]


@pytest.mark.parametrize("identifier", ["functions.weather:0", "call/1", "", "é", "\ud800"], ids=ascii)
def test_an_id_that_anthropic_does_not_take_is_another_in_a_call_and_its_result_alike(identifier: str) -> None:
    call, result = {**CALL, "id": identifier}, {**RESULT, "tool_call_id": identifier}
    messages = [*HELLO, {"role": "assistant", "tool_calls": [call]}, result]
    body, dropped = to_anthropic(messages=messages, tools=TOOLS)
    made = body["messages"][1]["content"][0]["id"]
    assert re.fullmatch("[a-zA-Z0-9_-]+", made)
    assert body["messages"][2]["content"][0]["tool_use_id"] == made
    assert to_anthropic(messages=messages, tools=TOOLS)[0] == body, "the same in every turn"
    assert dropped == ()


@pytest.mark.parametrize("identifier", ["toolu_01", "chatcmpl-tool-" + "0" * 32])
def test_an_id_that_anthropic_takes_stays(identifier: str) -> None:
    call = {**CALL, "id": identifier}
    body, _ = to_anthropic(messages=[*HELLO, {"role": "assistant", "tool_calls": [call]}], tools=TOOLS)
    assert body["messages"][1]["content"][0]["id"] == identifier


@pytest.mark.parametrize(("strict", "dropped"), [(True, ("tools.strict",)), (False, ()), (None, ())])
@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "claude-3-7-sonnet-20250219"])
def test_no_strict_tool_is_sent_to_a_model_that_has_none(
    model: str, strict: bool | None, dropped: tuple[str, ...]
) -> None:
    parameters = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}}
    tool = {"type": "function", "function": {"name": "w", "parameters": parameters, "strict": strict}}
    body, left_out = to_anthropic(model, tools=[tool])
    assert body["tools"] == [{"name": "w", "input_schema": parameters}]
    assert left_out == dropped


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "thinking", "thinking": "hm", "signature": "s"}],
        [{"type": "redacted_thinking", "data": "x"}],
        [],
    ],
    ids=["thinking", "redacted", "nothing"],
)
def test_a_turn_in_which_nothing_is_said_is_an_empty_text_for_openai(content: JsonValue) -> None:
    turns = [("user", "a"), ("assistant", content), ("user", "go on")]
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": role, "content": said} for role, said in turns]}
    request, dropped = translated_request(ANTHROPIC_MESSAGES.decode_request(body), OPENAI_CHAT, "gpt-5")
    sent = without_thoughts(request.body)["messages"]
    assert [(message["role"], message["content"]) for message in sent] == [turns[0], ("assistant", ""), turns[2]]
    assert dropped == ()


CSV = base64.b64encode(b"a,b\n1,\xc3\xa4").decode()
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
DOCUMENT = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}
TEXT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,b\n1,ä"}}


def sent_part(part: JsonObject) -> tuple[list[JsonObject], tuple[str, ...]]:
    said: JsonObject = {"type": "text", "text": "look"}
    body, dropped = to_anthropic(messages=[{"role": "user", "content": [said, part]}])
    first, *rest = body["messages"][0]["content"]
    assert first == said
    return rest, dropped


@pytest.mark.parametrize(
    ("url", "block"),
    [
        (f"data:text/csv;base64,{CSV}", TEXT),
        (f"data:text/plain;charset=utf-8;base64,{CSV}", TEXT),
        ("data:image/png;base64,AAAA", PICTURE),
        ("data:image/png;charset=utf-8;base64,AAAA", PICTURE),
        ("DATA:image/PNG;base64,AAAA", PICTURE),
        ("data:application/pdf;base64,JVBE", DOCUMENT),
        ('data:application/pdf;name="a.pdf";base64,JVBE', DOCUMENT),
    ],
)
def test_bytes_go_in_the_block_that_their_type_has(url: str, block: JsonObject) -> None:
    assert sent_part({"type": "image_url", "image_url": {"url": url}}) == ([block], ())
    titled = {"title": "a"} if block["type"] == "document" else {}
    assert sent_part({"type": "file", "file": {"filename": "a", "file_data": url}}) == ([{**block, **titled}], ())


@pytest.mark.parametrize(
    "url",
    [
        "data:application/zip;base64,AAAA",
        "data:image/svg+xml;utf8,<svg/>",
        "data:image/svg+xml;base64,AAAA",
        "data:text/plain;base64,/w==",
        "data:text/plain;base64,A",
        "data:text/plain;base64,ä",
        "data:text/plain;base64,",
        "data:,a",
        " data:image/png;base64,AAAA",
    ],
)
def test_bytes_without_a_block_of_their_own_are_named(url: str) -> None:
    assert sent_part({"type": "image_url", "image_url": {"url": url}}) == ([], ("messages.image_url",))
    assert sent_part({"type": "file", "file": {"file_data": url}}) == ([], ("messages.file",))
