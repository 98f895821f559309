"""Requests of other dialects for an upstream that takes OpenAI's fields: what a tool gave, and who asks."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.canonical import request_body
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.translation import translated_request
from sentinel_core.json_types import JsonObject, JsonValue

PNG = "data:image/png;base64,AAAA"
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
SHOWN = {"type": "image_url", "image_url": {"url": PNG}}


def by_messages(*turns: JsonObject, **fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    request = ANTHROPIC_MESSAGES.decode_request({"model": "m", "max_tokens": 9, "messages": [*turns], **fields})
    translated, dropped = translated_request(request, OPENAI_CHAT, "gpt")
    return dict(translated.body), dropped


def used(*names: str) -> JsonObject:
    """A turn that calls these tools."""
    calls = [{"type": "tool_use", "id": name, "name": "look", "input": {}} for name in names]
    return {"role": "assistant", "content": calls}


def result(name: str, *content: JsonObject, **fields: JsonValue) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": name, "content": list(content), **fields}


def from_tool(which: str) -> JsonObject:
    return {"type": "text", "text": f"From the result of {which}:"}


def test_what_a_tool_gave_beside_text_follows_the_results_in_a_users_message() -> None:
    text = {"type": "text", "text": "two pictures"}
    body, dropped = by_messages(
        {"role": "user", "content": "look"},
        used("a", "b", "c"),
        {
            "role": "user",
            "content": [
                result("a", text, IMAGE, IMAGE),
                result("b"),
                result("c", IMAGE),
                {"type": "text", "text": "so?"},
            ],
        },
    )
    assert body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "a", "content": [text]},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {"role": "tool", "tool_call_id": "c", "content": ""},
        {
            "role": "user",
            "content": [
                from_tool("call 1 of the tool look"),
                SHOWN,
                SHOWN,
                from_tool("call 3 of the tool look"),
                SHOWN,
            ],
        },
        {"role": "user", "content": "so?"},
    ]
    assert dropped == ()


def test_pictures_of_the_last_result_end_the_conversation() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_image", "image_url": PNG}]}
    request = OPENAI_RESPONSES.decode_request({"model": "m", "input": [{"role": "user", "content": "r"}, call, output]})
    body = translated_request(msgspec.structs.replace(request, operation="chat"), OPENAI_CHAT, "gpt")[0].body
    assert body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": ""},
        {"role": "user", "content": [from_tool("the tool look"), SHOWN]},
    ]


def test_a_picture_of_a_call_that_nobody_made_is_named_by_its_id() -> None:
    body, _ = by_messages({"role": "user", "content": [result("a", IMAGE)]})
    assert body["messages"][-1]["content"] == [from_tool("the tool call a"), SHOWN]


def test_each_turn_counts_its_own_calls() -> None:
    shown = {"role": "user", "content": [result("a", IMAGE)]}
    body, _ = by_messages(used("a"), shown, used("a", "b"), shown)
    told = [message["content"][0] for message in body["messages"] if message["role"] == "user"]
    assert told == [from_tool("the tool look"), from_tool("call 1 of the tool look")]


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"is_error": True}, ("messages.is_error",)),
        ({"is_error": False}, ()),
        ({"cache_control": {"type": "ephemeral"}}, ("cache_control",)),
    ],
)
def test_what_a_result_says_beside_its_content_is_named(fields: JsonObject, dropped: tuple[str, ...]) -> None:
    text = {"type": "text", "text": "boom"}
    body, left_out = by_messages(used("a"), {"role": "user", "content": [result("a", text, **fields)]})
    assert body["messages"][1] == {"role": "tool", "tool_call_id": "a", "content": "boom"}
    assert left_out == dropped


@pytest.mark.parametrize(("length", "dropped"), [(64, ()), (65, ("user",))])
def test_a_user_whose_id_is_longer_than_openai_takes_is_not_told(length: int, dropped: tuple[str, ...]) -> None:
    user = "u" * length
    body, left_out = by_messages({"role": "user", "content": "x"}, metadata={"user_id": user})
    assert (body.get("user"), left_out) == (None if dropped else user, dropped)


@pytest.mark.parametrize("user", [5, True, ["a"], {"a": "b"}, None], ids=repr)
def test_a_user_that_is_no_text_is_the_hosts_to_refuse(user: JsonValue) -> None:
    body, dropped = request_body({"model": "m", "messages": [], "user": user}, "m")
    assert (body["user"], dropped) == (user, ())
