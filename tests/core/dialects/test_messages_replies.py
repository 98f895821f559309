"""Whole answers of an upstream, whatever their JSON: a message or an error of the upstream's, never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import UpstreamError
from tests.upstream import completion
from tests.upstream.anthropic import message

REQUEST = ANTHROPIC_MESSAGES.decode_request(
    {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
)
FUNCTION = {"name": "f", "arguments": "{}"}


def content_of(**said: Any) -> list[dict[str, Any]]:  # JSON
    """The blocks of a completion's message."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **said}, "finish_reason": "tool_calls"}
    answer = OPENAI_CHAT.decode_answer(json.dumps(completion(choices=[choice])).encode())
    content: list[dict[str, Any]] = translated_answer(answer, REQUEST).body["content"]
    return content


def call(**members: Any) -> dict[str, Any]:  # JSON
    return {"id": "c", "type": "function", "function": FUNCTION, **members}


@pytest.mark.parametrize(
    "said",
    [
        {"tool_calls": [None]},
        {"tool_calls": ["x"]},
        {"tool_calls": "x"},
        {"tool_calls": True},
        {"tool_calls": {"id": "c"}},
        {"tool_calls": [call(function=None)]},
        {"tool_calls": [call(function="x")]},
        {"tool_calls": [call(function={"arguments": "{}"})]},
        {"tool_calls": [call(function={**FUNCTION, "arguments": True})]},
        {"tool_calls": [call(function={**FUNCTION, "arguments": ["x"]})]},
        {"tool_calls": [call(function={**FUNCTION, "arguments": 1.5})]},
        {"function_call": {**FUNCTION, "arguments": ["x"]}},
        {"content": ["x"]},
        {"content": [None]},
        {"content": [["x"]]},
    ],
    ids=repr,
)
def test_u12_what_is_no_completion_is_the_upstreams_fault(said: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError) as raised:
        content_of(**said)
    assert raised.value.code == "upstream_invalid_response"
    assert raised.value.status == 502


@pytest.mark.parametrize("arguments", ["[" * 3000, f'{{"a":{"[" * 900}{"]" * 900}}}'], ids=["open", "whole"])
def test_arguments_that_nest_too_deeply_are_the_models_mistake(arguments: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        content_of(tool_calls=[call(function={**FUNCTION, "arguments": arguments})])
    assert (raised.value.code, raised.value.wire_code) == ("upstream_invalid_response", "invalid_tool_arguments")


@pytest.mark.parametrize("arguments", [{"a": 1}, '{"a": 1}'], ids=repr)
def test_arguments_may_be_an_object(arguments: Any) -> None:  # JSON
    made = {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}
    assert content_of(tool_calls=[call(function={**FUNCTION, "arguments": arguments})]) == [made]
    assert content_of(function_call={**FUNCTION, "arguments": arguments}) == [{**made, "id": "toolu_0"}]


@pytest.mark.parametrize("arguments", [None, "", " "], ids=repr)
def test_a_call_without_arguments_has_an_empty_input(arguments: Any) -> None:  # JSON
    (made,) = content_of(tool_calls=[call(function={**FUNCTION, "arguments": arguments})])
    assert made["input"] == {}


@pytest.mark.parametrize("identifier", [None, "", 5], ids=repr)
def test_a_call_without_an_id_gets_that_of_a_stream(identifier: Any) -> None:  # JSON
    assert [made["id"] for made in content_of(tool_calls=[call(), call(id=identifier)])] == ["c", "toolu_1"]


@pytest.mark.parametrize("thought", [{}, {"thinking": None}, {"thinking": 3}, {"thinking": ["x"]}], ids=repr)
def test_u12_a_thought_that_says_nothing_is_no_block(thought: dict[str, Any]) -> None:
    raw = json.dumps(message({"type": "thinking", "signature": "s", **thought}, "a")).encode()
    with pytest.raises(UpstreamError) as raised:
        ANTHROPIC_MESSAGES.decode_answer(raw)
    assert raised.value.code == "upstream_invalid_response"


def test_a_thought_that_is_not_shown_is_one() -> None:
    raw = json.dumps(message({"type": "thinking", "thinking": "", "signature": "s"}, "a")).encode()
    assert ANTHROPIC_MESSAGES.decode_answer(raw).body["content"][0]["signature"] == "s"
