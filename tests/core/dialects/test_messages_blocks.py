"""Calls of tools in one client's stream: each is one block, whatever comes late."""

from __future__ import annotations

import json

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, TextDelta, ToolCallDelta
from tests.core.dialects.messages_client import REQUEST, events_of, translated, written
from tests.upstream import delta
from tests.upstream.anthropic import message_stream, text_block, tool_block

DEEP = "[" * 3000


def calls_of(wire: bytes) -> list[tuple[str, str, str, str]]:
    """Type, id, name and input of each block that is not of text, as a client puts them together."""
    bodies = [json.loads(data) for data, _ in SseParser().feed(wire)]
    starts = {one["index"]: one["content_block"] for one in bodies if one["type"] == "content_block_start"}
    inputs: dict[int, str] = {}
    for one in bodies:
        if one["type"] == "content_block_delta":
            inputs[one["index"]] = inputs.get(one["index"], "") + one["delta"].get("partial_json", "")
    return [
        (made["type"], made["id"], made["name"], inputs.get(index, ""))
        for index, made in starts.items()
        if made["type"] != "text"
    ]


def call(index: int, text: str) -> ToolCallDelta:
    return ToolCallDelta(index=index, text=text, id=f"c{index}", name="f")


TWO: tuple[Event, ...] = (call(0, '{"a":1}'), call(1, '{"b":2}'))
BOTH = [("tool_use", "c0", "f", '{"a":1}'), ("tool_use", "c1", "f", '{"b":2}')]


@pytest.mark.parametrize("late", ["", "\n", " \t\r\n"], ids=repr)
def test_an_empty_fragment_of_a_call_that_has_ended_begins_no_other(late: str) -> None:
    fragment, finish = ToolCallDelta(index=0, text=late), Finish(reason="tool_calls")
    assert calls_of(written([*TWO, fragment, finish])) == BOTH
    assert calls_of(written([*TWO, finish, fragment])) == BOTH
    assert calls_of(written([TWO[0], TextDelta(text="x"), fragment, TWO[1], finish])) == BOTH
    assert calls_of(written([TWO[0], call(1, '{"b"'), fragment, ToolCallDelta(index=1, text=":2}"), finish])) == BOTH


def test_an_empty_fragment_of_an_upstreams_call_begins_no_other() -> None:
    decoder = ANTHROPIC_MESSAGES.stream_decoder()
    blocks = [tool_block(0, "c0", "f", '{"a":1}'), text_block(1, "x")]
    wire = b"".join(message_stream(blocks=blocks, reason="tool_use"))
    events = [event for data, name in SseParser().feed(wire) for event in decoder.decode(data, name)]
    end = next(at for at, event in enumerate(events) if isinstance(event, Finish))
    events.insert(end, ToolCallDelta(index=0, text=""))
    assert calls_of(written(events)) == BOTH[:1]


@pytest.mark.parametrize("late", ["x", '{"c":3}', " }"], ids=repr)
def test_more_of_a_call_that_has_ended_is_an_input_that_is_no_object(late: str) -> None:
    """Nothing of it is lost, and no call is invented: the client is told."""
    encoder = ANTHROPIC_MESSAGES.stream_encoder(REQUEST)
    said = b"".join(map(encoder.encode, TWO))
    with pytest.raises(UpstreamError) as raised:
        encoder.encode(ToolCallDelta(index=0, text=late))
    assert (raised.value.code, raised.value.wire_code) == ("upstream_invalid_response", "invalid_tool_arguments")
    assert calls_of(said + encoder.fail(raised.value)) == BOTH


def test_an_input_that_nests_too_deeply_is_never_whole() -> None:
    events: list[Event] = [call(0, DEEP), TextDelta(text="after"), call(1, '{"b":2}'), Finish(reason="tool_calls")]
    assert calls_of(written(events)) == [("tool_use", "c0", "f", DEEP), BOTH[1]]


def test_an_upstreams_input_that_nests_too_deeply_leaves_as_it_came() -> None:
    events = events_of(*message_stream(blocks=[tool_block(0, "c0", "f", DEEP), text_block(1, "x")], reason="tool_use"))
    assert calls_of(written(events)) == [("tool_use", "c0", "f", DEEP)]


def test_a_start_into_which_a_guard_puts_what_nests_too_deeply_has_no_input() -> None:
    events = events_of(*message_stream(blocks=[tool_block(0, "c0", "f")], reason="tool_use"))
    changed: list[Event] = [event.with_text(DEEP) if isinstance(event, ToolCallDelta) else event for event in events]
    assert calls_of(written(changed)) == [("tool_use", "c0", "f", "")]


async def test_a_call_of_the_older_kind_is_the_clients_to_make() -> None:
    head, rest = {"name": "f", "arguments": '{"a":'}, {"arguments": "1}"}
    chunks = [delta(role="assistant"), delta(function_call=head), delta(function_call=rest)]
    events = await translated(*chunks, delta(finish="function_call"))
    ((kind, identifier, name, said),) = calls_of(written(events))
    assert (kind, name, said) == ("tool_use", "f", '{"a":1}')
    (made,) = ANTHROPIC_MESSAGES.assemble(events).body["content"]
    assert made == {"type": "tool_use", "id": identifier, "name": "f", "input": {"a": 1}}


async def test_a_call_of_the_older_kind_is_none_of_the_newer_ones() -> None:
    newer = {"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    chunks = [delta(function_call={"name": "f", "arguments": "{}"}), delta(tool_calls=[newer])]
    events = await translated(*chunks, delta(finish="tool_calls"))
    assert [made[3] for made in calls_of(written(events))] == ["{}", '{"a":1}']
