"""Calls of tools in a message that another format's upstream wrote: cut off, badly written, and how the turn ends."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from tests.core.dialects.messages_client import REQUEST, events_of, translated, written
from tests.upstream import completion, delta
from tests.upstream.anthropic import message_stream, tool_block

CUT = '{"a": "hel'


def called(arguments: str, finish: str, **fields: JsonValue) -> Answer:
    """The message of a completion with one call; `fields` are those of its own message, instead of the call."""
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": arguments}}
    said = {"role": "assistant", "content": None, **(fields or {"tool_calls": [call]})}
    raw = json.dumps(completion(choices=[{"index": 0, "message": said, "finish_reason": finish}])).encode()
    return translated_answer(OPENAI_CHAT.decode_answer(raw), REQUEST)


async def streamed(arguments: str, finish: str, **fields: JsonValue) -> list[Event]:
    """The events of a chat's stream with one call; `fields` are those of its delta, instead of the call."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "w", "arguments": arguments}}
    chunks = [delta(role="assistant"), delta(**(fields or {"tool_calls": [call]})), delta(finish=finish)]
    return await translated(*chunks)


def ended(events: Sequence[Event]) -> str:
    """Why the message ends that a client reads of these events."""
    bodies = [json.loads(payload) for payload, _ in SseParser().feed(written(events))]
    (end,) = (body["delta"] for body in bodies if body["type"] == "message_delta")
    return str(end["stop_reason"])


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_tokens"), ("content_filter", "refusal")])
async def test_arguments_that_were_cut_off_are_an_empty_input_and_the_reason_says_so(finish: str, reason: str) -> None:
    for answer in (called(CUT, finish), ANTHROPIC_MESSAGES.assemble(await streamed(CUT, finish))):
        assert answer.body["content"] == [{"type": "tool_use", "id": "c", "name": "w", "input": {}}]
        assert answer.body["stop_reason"] == reason
    assert called('{"a": 1}', finish).body["content"][0]["input"] == {"a": 1}, "whole ones are kept"


@pytest.mark.parametrize("end", [True, False])
def test_what_came_of_a_message_that_was_cut_off_can_be_put_together(end: bool) -> None:
    events = events_of(*message_stream(blocks=[tool_block(0, "t1", "w", CUT)], reason="max_tokens"))
    answer = ANTHROPIC_MESSAGES.assemble(events if end else events[:-2])
    assert answer.body["content"] == [{"type": "tool_use", "id": "t1", "name": "w", "input": {}}]


@pytest.mark.parametrize("arguments", ["{oops", "[1]", "3"])
async def test_u12_arguments_that_are_no_object_are_the_models_mistake(arguments: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        called(arguments, "tool_calls")
    assert (raised.value.code, raised.value.wire_code) == ("upstream_invalid_response", "invalid_tool_arguments")
    assert not raised.value.should_retry
    (sent,) = ANTHROPIC_MESSAGES.assemble(await streamed(arguments, "tool_calls")).body["content"]
    assert sent["input"] == arguments, "a client that streams has them already"


async def test_a_turn_that_calls_a_tool_ends_with_that_where_the_upstream_says_only_stop() -> None:
    events = await streamed("{}", "stop")
    assert ended(events) == "tool_use"
    assert ANTHROPIC_MESSAGES.assemble(events).body["stop_reason"] == "tool_use"
    assert called("{}", "stop").body["stop_reason"] == "tool_use"
    function = {"name": "w", "arguments": "{}"}
    assert called("", "stop", function_call=function).body["stop_reason"] == "tool_use"


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_tokens"), ("content_filter", "refusal")])
async def test_a_call_hides_no_other_reason_to_stop(finish: str, reason: str) -> None:
    assert called("{}", finish).body["stop_reason"] == reason
    assert ended(await streamed("{}", finish)) == reason


async def test_a_turn_without_a_call_ends_as_before() -> None:
    assert called("", "stop", content="x").body["stop_reason"] == "end_turn"
    assert ended(await streamed("", "stop", content="x")) == "end_turn"


def fragment(arguments: str = "", **head: str) -> JsonObject:
    """A fragment of a call: its id, its name, its arguments, each where it comes."""
    identifier = {"id": head["id"], "type": "function"} if "id" in head else {}
    named = {"name": head["name"]} if "name" in head else {}
    return delta(tool_calls=[{"index": 0, **identifier, "function": {**named, "arguments": arguments}}])


@pytest.mark.parametrize("names", [("w",), ("w", "")], ids=["once", "and an empty one"])
async def test_a_call_begins_with_its_name_also_where_that_comes_after_the_id(names: Sequence[str]) -> None:
    heads = (fragment(name=name) for name in names)
    events = await translated(delta(role="assistant"), fragment(id="c"), *heads, fragment("{}"), delta(finish="stop"))
    assert ended(events) == "tool_use"
    assert begun(events) == [{"type": "tool_use", "id": "c", "name": "w", "input": {}}]


@pytest.mark.parametrize("rest", [[fragment("{}")], []], ids=["arguments", "nothing"])
async def test_a_call_whose_name_never_comes_has_none(rest: Sequence[JsonObject]) -> None:
    events = await translated(delta(role="assistant"), fragment(id="c"), *rest, delta(finish="stop"))
    assert begun(events) == [{"type": "tool_use", "id": "c", "name": "", "input": {}}]


def begun(events: Sequence[Event]) -> list[JsonObject]:
    """The blocks that begin in what a client reads of these events."""
    bodies = [json.loads(payload) for payload, _ in SseParser().feed(written(events))]
    return [body["content_block"] for body in bodies if body["type"] == "content_block_start"]
