"""Tool calls that a stage holds back: the first fragment that a client gets carries the call's id and name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Opaque, ToolCallDelta
from sentinel_core.json_types import JsonObject
from tests.core.dialects.chat_chunks import choice, chunk, decode, encode

HEAD = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"q":'}}
OTHER = {"index": 1, "id": "call_2", "type": "function", "function": {"name": "find", "arguments": "{}"}}
REST = {"index": 0, "function": {"arguments": "1}"}}


def calls(*fragments: JsonObject, finish: str | None = None) -> bytes:
    return chunk(choice({"tool_calls": list(fragments)}, finish))


def fragments(events: Sequence[Event], index: int = 0) -> list[JsonObject]:
    """What a client gets of one tool call, fragment by fragment."""
    deltas = [one["delta"] for body in encode(events) for one in body["choices"]]
    return [call for delta in deltas for call in delta.get("tool_calls") or () if call["index"] == index]


def said(parts: Sequence[JsonObject]) -> tuple[str, str, str]:
    """A call as clients put it together: its id, its name, its arguments."""
    functions = [part["function"] for part in parts]
    return (
        "".join(part.get("id") or "" for part in parts),
        "".join(function.get("name") or "" for function in functions),
        "".join(function.get("arguments") or "" for function in functions),
    )


def parted() -> tuple[ToolCallDelta, Opaque, ToolCallDelta]:
    """A call's first fragment, the strings of its chunk, and its second fragment."""
    first, strings, second = decode(calls(HEAD), calls(REST))
    assert isinstance(first, ToolCallDelta)
    assert isinstance(strings, Opaque)
    assert isinstance(second, ToolCallDelta)
    return first, strings, second


def test_a_call_whose_strings_left_ahead_of_it_keeps_its_name() -> None:
    first, strings, second = parted()
    found = fragments([strings, first, second])
    assert (found[0]["id"], found[0]["function"]["name"]) == ("call_1", "look")
    assert said(found) == ("call_1", "look", '{"q":1}')


@pytest.mark.parametrize("last", ["with_text", "own", "unchanged"])
def test_a_call_that_leaves_with_a_later_event_carries_its_head(last: str) -> None:
    first, strings, second = parted()
    whole = first.text + second.text
    event = {"with_text": second.with_text(whole), "own": ToolCallDelta(text=whole), "unchanged": second}[last]
    (found,) = fragments([strings, event])
    assert (found["id"], found["function"]["name"]) == ("call_1", "look")
    assert found["function"]["arguments"] == ("1}" if last == "unchanged" else whole)


def test_a_name_that_a_guard_changed_is_the_one_that_is_carried() -> None:
    first, strings, second = parted()
    masked = strings.with_texts({strings.slots[0].path: "***"})
    assert said(fragments([masked, second.with_text(first.text + second.text)])) == ("call_1", "***", '{"q":1}')


def test_a_name_that_a_guard_keeps_back_is_carried_by_nothing() -> None:
    first, _, second = parted()
    assert said(fragments([first, second]))[1] == ""
    assert b"look" not in str(encode([second.with_text("{}")])).encode()


def test_a_call_that_a_stage_takes_out_stays_out() -> None:
    _, strings, _ = parted()
    assert fragments([strings, *decode(calls(OTHER))]) == []


def test_a_head_is_carried_once_and_by_its_own_call_only() -> None:
    first, other, strings, second = decode(calls(HEAD, OTHER), calls(REST))
    events = [strings, other, first, second]
    assert said(fragments(events)) == ("call_1", "look", '{"q":1}')
    assert said(fragments(events, index=1)) == ("call_2", "find", "{}")


def test_the_deprecated_function_call_keeps_its_name_too() -> None:
    call, strings, more = decode(
        chunk(choice({"function_call": {"name": "look", "arguments": "{"}})),
        chunk(choice({"function_call": {"arguments": "}"}})),
    )
    for events in ([strings, call, more], [strings, ToolCallDelta(index=-1, text="{}")]):
        parts = [one["delta"]["function_call"] for body in encode(events) for one in body["choices"] if one["delta"]]
        assert parts[0]["name"] == "look"
        assert "".join(part["arguments"] for part in parts) == "{}"


@pytest.mark.parametrize("function", ["look", ["look"]])
@pytest.mark.parametrize("last", ["changed", "later", "own"])
def test_a_call_whose_function_is_no_object_is_the_upstreams_fault(function: object, last: str) -> None:
    first, strings, second = decode(calls({"index": 0, "id": "call_1", "function": function}), calls(REST))
    assert isinstance(first, ToolCallDelta)
    own = ToolCallDelta(text="{}")
    events = {"changed": [first.with_text("{}"), strings], "later": [strings, second], "own": [strings, own]}[last]
    with pytest.raises(UpstreamError) as caught:
        encode(events)
    assert caught.value.code == "upstream_invalid_response"


@given(st.lists(st.sampled_from([HEAD, OTHER]), unique_by=id, min_size=1), st.data())
def test_however_a_stage_delays_calls_behind_their_strings_a_client_puts_them_together_right(
    heads: list[JsonObject], data: st.DataObject
) -> None:
    events = decode(calls(*heads), *(calls({"index": head["index"], "function": {"arguments": " "}}) for head in heads))
    strings = next(event for event in events if isinstance(event, Opaque))
    lanes = [[e for e in events if isinstance(e, ToolCallDelta) and e.index == head["index"]] for head in heads]
    order: list[Event] = [strings]
    while any(lanes):
        order.append(data.draw(st.sampled_from([lane for lane in lanes if lane])).pop(0))
    for head in heads:
        found = fragments(order, head["index"])
        function = head["function"]
        assert found[0]["id"] == head["id"]
        assert said(found) == (head["id"], function["name"], function["arguments"] + " ")
