"""Ids of tool calls that an API does not take: another one, the same for a call and its result in every turn."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages.calls import with_taken_ids
from sentinel_core.dialects.openai_chat.short_ids import with_short_ids
from sentinel_core.json_types import JsonObject, JsonValue

LONG = "chatcmpl-tool-" + "0" * 32
DOTTED = "functions.weather:0"
HI = {"role": "user", "content": "hi"}


def chat(identifier: JsonValue, *others: JsonValue) -> JsonObject:
    calls = [{"id": one, "type": "function", "function": {"name": "w"}} for one in (identifier, *others)]
    result = {"role": "tool", "tool_call_id": identifier, "content": "1"}
    return {"messages": [HI, {"role": "assistant", "tool_calls": calls}, result]}


def messages(identifier: JsonValue, *others: JsonValue) -> JsonObject:
    uses = [{"type": "tool_use", "id": one, "name": "w", "input": {}} for one in (identifier, *others)]
    text, result = {"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": identifier, "content": "1"}
    return {"messages": [HI, {"role": "assistant", "content": [text, *uses]}, {"role": "user", "content": [result]}]}


def test_openai_is_given_ids_of_forty_characters_at_most() -> None:
    body = with_short_ids(chat(LONG, "call_1"))
    first, second = body["messages"][1]["tool_calls"]
    assert len(first["id"]) <= 40
    assert (first["id"], "call_1") == (body["messages"][2]["tool_call_id"], second["id"])
    assert with_short_ids(chat(LONG, "call_1")) == body


def test_anthropic_is_given_ids_of_its_letters() -> None:
    body = with_taken_ids(messages(DOTTED, "toolu_1"))
    text, first, second = body["messages"][1]["content"]
    assert first["id"].replace("_", "").isalnum()
    assert (first["id"], "toolu_1") == (body["messages"][2]["content"][0]["tool_use_id"], second["id"])
    assert (text, body["messages"][0]) == ({"type": "text", "text": "x"}, HI)
    assert with_taken_ids(messages(DOTTED, "toolu_1")) == body


@pytest.mark.parametrize("identifier", ["call_1", None, 3], ids=repr)
def test_a_body_whose_ids_are_taken_is_the_same(identifier: JsonValue) -> None:
    for body, written in ((chat(identifier), with_short_ids), (messages(identifier), with_taken_ids)):
        assert written(body) is body


@pytest.mark.parametrize("calls", [None, 3, ["x", {}]], ids=repr)
def test_calls_that_are_none_are_openais_to_refuse(calls: JsonValue) -> None:
    body = {"messages": [{"role": "assistant", "tool_calls": calls}]}
    assert with_short_ids(body) is body
