"""What a client was sent of a message can be put together whatever the model wrote: finishers record it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from sentinel_core.chain.transcript import Transcript
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, TextDelta, ToolCallDelta
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from tests.core.dialects.messages_client import events_of
from tests.upstream.anthropic import block, ending, message, message_stream, named, opening, text_block, tool_block

DEEP = "[" * 3000
NO_INPUTS = pytest.mark.parametrize(
    "arguments",
    ['{"a":', "[1]", "3", DEEP, f'{{"a":{"[" * 900}{"]" * 900}}}'],
    ids=["cut", "list", "number", "deep", "whole and deep"],
)


def sent(events: Sequence[Event]) -> Answer:
    """What finishers are given of a stream."""
    transcript = Transcript()
    for event in events:
        transcript.add(event)
    return transcript.answer(ANTHROPIC_MESSAGES)


def called(arguments: str) -> list[list[Event]]:
    """A stream with one call, of the client's own dialect and of another one."""
    own = events_of(*message_stream(blocks=[tool_block(0, "t1", "f", arguments)], reason="tool_use"))
    return [own, [ToolCallDelta(text=arguments, id="t1", name="f"), Finish(reason="tool_calls")]]


@NO_INPUTS
def test_a_tools_input_that_is_no_object_stays_a_text(arguments: str) -> None:
    for events in called(arguments):
        answer = sent(events)
        (call,) = answer.body["content"]
        assert call == {"type": "tool_use", "id": "t1", "name": "f", "input": arguments}
        assert arguments in {slot.text for slot in answer.texts()}
        texts = [event.text for event in ANTHROPIC_MESSAGES.decompose(answer) if isinstance(event, ToolCallDelta)]
        assert texts == [arguments]
        assert ANTHROPIC_MESSAGES.recompose(answer, ANTHROPIC_MESSAGES.decompose(answer)) is answer
        assert json.loads(ANTHROPIC_MESSAGES.encode_answer(answer))["content"] == [call]


def test_what_a_monitor_changes_in_such_a_text_is_a_text() -> None:
    answer = sent(called('{"city": "Rome')[1])
    changed = [
        event.with_text('{"city": "***') if isinstance(event, ToolCallDelta) else event
        for event in ANTHROPIC_MESSAGES.decompose(answer)
    ]
    assert ANTHROPIC_MESSAGES.recompose(answer, changed).body["content"][0]["input"] == '{"city": "***'


@NO_INPUTS
def test_u15_an_upstreams_own_stream_of_it_is_no_whole_answer(arguments: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        ANTHROPIC_MESSAGES.assemble(called(arguments)[0])
    assert (raised.value.code, raised.value.wire_code) == ("upstream_invalid_response", "invalid_tool_arguments")


@pytest.mark.parametrize("usage", [None, True, 3, "x", ["x"]], ids=repr)
def test_a_message_may_begin_with_counts_that_are_none(usage: JsonValue) -> None:
    start = named({"type": "message_start", "message": message(content=[], stop_reason=None, usage=usage)})
    counted = sent(events_of(*[start, *text_block(0, "a"), *ending(input_tokens=3)]))
    assert counted.body["usage"] == {"input_tokens": 3, "output_tokens": 2}
    assert sent(events_of(*[start, *text_block(0, "a")])).body["usage"] == {}


@pytest.mark.parametrize(
    "start",
    [{"type": "new"}, {"type": "new", "text": "b"}, {"type": "redacted_thinking", "data": "x", "signature": 5}],
    ids=repr,
)
@pytest.mark.parametrize(
    "delta",
    [
        {"type": "text_delta", "text": "a"},
        {"type": "thinking_delta", "thinking": "a"},
        {"type": "signature_delta", "signature": "s"},
        {"type": "citations_delta", "citation": {}},
    ],
    ids=lambda delta: delta["type"],
)
def test_a_block_may_hold_what_its_type_does_not_say(start: JsonObject, delta: JsonObject) -> None:
    events = events_of(*[opening(), *block(0, {**start, "citations": 3}, delta), *ending()])
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    assembled = ANTHROPIC_MESSAGES.assemble(events)
    assert [e.text for e in ANTHROPIC_MESSAGES.decompose(assembled) if isinstance(e, TextDelta)][-1:] == texts


def test_text_in_a_block_of_thinking_is_a_text() -> None:
    deltas = ({"type": "thinking_delta", "thinking": "hm"}, {"type": "text_delta", "text": "a"})
    start = {"type": "thinking", "thinking": "", "signature": ""}
    assembled = ANTHROPIC_MESSAGES.assemble(events_of(*[opening(), *block(0, start, *deltas), *ending()]))
    assert [one["type"] for one in assembled.body["content"]] == ["thinking", "text"]


@pytest.mark.parametrize("start", [{}, {"type": 1}, {"type": None, "text": ""}, {"input": {}}], ids=repr)
def test_u11_a_block_that_does_not_say_its_type_is_a_fault(start: JsonObject) -> None:
    with pytest.raises(UpstreamError) as raised:
        events_of(*[opening(), *block(0, start)])
    assert raised.value.code == "upstream_invalid_response"


def test_u11_an_index_that_is_no_number_is_a_fault() -> None:
    with pytest.raises(UpstreamError):
        events_of(*[opening(), *block(True, {"type": "text", "text": ""})])


def test_what_a_guard_makes_of_an_input_may_nest_too_deeply() -> None:
    tool = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(message(tool)).encode())
    (path,) = (slot.path for slot in answer.texts() if slot.kind == "tool_arguments")
    assert answer.with_texts({path: DEEP}).body["content"][0]["input"] == DEEP
