"""Whole answers of an upstream, whatever their JSON: a message or an error of the upstream's, never a fault of ours."""

from __future__ import annotations

import json
import re

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.messages_client import translated
from tests.upstream import completion, delta
from tests.upstream.anthropic import message

REQUEST = ANTHROPIC_MESSAGES.decode_request(
    {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
)
FUNCTION = {"name": "f", "arguments": "{}"}


def content_of(answer_id: str | None = "chatcmpl-1", **said: JsonValue) -> list[JsonObject]:
    """The blocks of a completion's message."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **said}, "finish_reason": "tool_calls"}
    answer = OPENAI_CHAT.decode_answer(json.dumps(completion(id=answer_id, choices=[choice])).encode())
    content: list[JsonObject] = translated_answer(answer, REQUEST).body["content"]
    return content


def call(**members: JsonValue) -> JsonObject:
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
def test_u12_what_is_no_completion_is_the_upstreams_fault(said: JsonObject) -> None:
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
def test_arguments_may_be_an_object(arguments: JsonValue) -> None:
    made = {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}
    assert content_of(tool_calls=[call(function={**FUNCTION, "arguments": arguments})]) == [made]
    (older,) = content_of(function_call={**FUNCTION, "arguments": arguments})
    assert {**older, "id": "c"} == made


@pytest.mark.parametrize("arguments", [None, "", " "], ids=repr)
def test_a_call_without_arguments_has_an_empty_input(arguments: JsonValue) -> None:
    (made,) = content_of(tool_calls=[call(function={**FUNCTION, "arguments": arguments})])
    assert made["input"] == {}


@pytest.mark.parametrize("identifier", [None, "", 5], ids=repr)
async def test_a_call_without_an_id_gets_one_that_no_other_has_whole_or_streamed(identifier: JsonValue) -> None:
    calls = [call(), call(id=identifier), call(id=identifier)]
    ids = [made["id"] for made in content_of(tool_calls=calls)]
    assert ids[0] == "c"
    assert all(re.fullmatch("toolu_[0-9a-f]{24}", one) for one in ids[1:])
    another = [made["id"] for made in content_of("chatcmpl-2", tool_calls=calls)]
    assert len({*ids, *another}) == 5
    assert ids == [made["id"] for made in content_of(tool_calls=calls)]
    chunks = [delta(tool_calls=[{"index": index, **one}]) for index, one in enumerate(calls)]
    events = await translated(delta(role="assistant"), *chunks, delta(finish="tool_calls"))
    assert [made["id"] for made in ANTHROPIC_MESSAGES.assemble(events).body["content"]] == ids


@pytest.mark.parametrize("answer", [None, ""], ids=repr)
def test_calls_of_answers_without_ids_have_some_that_no_other_has(answer: str | None) -> None:
    calls = [call(id=None), call(id=None)]
    ids = [made["id"] for _ in range(2) for made in content_of(answer, tool_calls=calls)]
    ids += [made["id"] for made in content_of(answer, function_call=FUNCTION)]
    assert len(set(ids)) == 5


@pytest.mark.parametrize("thought", [{}, {"thinking": None}, {"thinking": 3}, {"thinking": ["x"]}], ids=repr)
def test_u12_a_thought_that_says_nothing_is_no_block(thought: JsonObject) -> None:
    raw = json.dumps(message({"type": "thinking", "signature": "s", **thought}, "a")).encode()
    with pytest.raises(UpstreamError) as raised:
        ANTHROPIC_MESSAGES.decode_answer(raw)
    assert raised.value.code == "upstream_invalid_response"


def test_a_thought_that_is_not_shown_is_one() -> None:
    raw = json.dumps(message({"type": "thinking", "thinking": "", "signature": "s"}, "a")).encode()
    assert ANTHROPIC_MESSAGES.decode_answer(raw).body["content"][0]["signature"] == "s"


SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "web_search_result", "url": "u"}]}
NEW = {"type": "a_new_kind", "said": "something"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "w", "input": {}}


@pytest.mark.parametrize(
    "between", [(SEARCH, FOUND), (NEW,), ({"type": "text", "text": 5},)], ids=["the provider's tool", "new", "no text"]
)
@pytest.mark.parametrize("texts", [("Let me see. ", "Found it."), ()], ids=["text", "no text"])
def test_the_content_of_an_answer_in_openais_form_is_one_text_whatever_else_is_in_it(
    texts: tuple[str, ...], between: tuple[JsonValue, ...]
) -> None:
    raw = json.dumps(message(*texts[:1], *between, *texts[1:])).encode()
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
    (choice,) = translated_answer(ANTHROPIC_MESSAGES.decode_answer(raw), request).body["choices"]
    assert choice["message"] == {"role": "assistant", "content": "".join(texts)}


@pytest.mark.parametrize(("blocks", "content"), [((), ""), ((USE,), None)], ids=["nothing", "a call alone"])
def test_an_answer_that_says_nothing_has_an_empty_text_and_one_that_calls_a_tool_none(
    blocks: tuple[JsonValue, ...], content: str | None
) -> None:
    raw = json.dumps(message(content=[*blocks])).encode()
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
    (choice,) = translated_answer(ANTHROPIC_MESSAGES.decode_answer(raw), request).body["choices"]
    assert choice["message"]["content"] == content
