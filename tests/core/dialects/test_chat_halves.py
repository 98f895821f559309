"""Chunks that leave in several: each string of them stands in one, and no call loses its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.events import Event, Finish, Opaque, TextDelta, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.chat_chunks import USAGE, choice, chunk, decode, encode
from tests.core.dialects.test_chat_encoder import chunks

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CITED = [{"type": "url_citation", "url_citation": {"url": "https://acme.org", "title": "A"}}]
OWN = TextDelta(text="own")


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def strings(value: JsonValue) -> Iterator[str]:
    """Every string and key of a body."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield key
            yield from strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from strings(below)
    elif isinstance(value, str):
        yield value


def test_what_stands_beside_an_end_comes_ahead_of_it() -> None:
    events = decode(chunk(choice({"content": "a", "tool_calls": [CALL]}, "stop"), choice({}, "length", 1), usage=USAGE))
    assert kinds(events) == [TextDelta, ToolCallDelta, Opaque, Finish, Finish, UsageReport]
    assert [event.part for event in events] == [*range(6)]
    assert [(event.choice, event.reason) for event in events if isinstance(event, Finish)] == [
        (0, "stop"),
        (1, "length"),
    ]


def test_what_stands_beside_an_end_comes_ahead_of_it_in_completions_too() -> None:
    payload = msgspec.json.encode({"choices": [{"index": 0, "text": "a", "note": "b", "finish_reason": "stop"}]})
    events = [*OPENAI_COMPLETIONS.stream_decoder().decode(payload)]
    assert kinds(events) == [TextDelta, Opaque, Finish]


def test_a_call_whose_end_leaves_behind_another_event_keeps_its_name() -> None:
    call, beside, end = decode(chunk(choice({"tool_calls": [CALL]}, "tool_calls")))
    first, own, last = encode([call, beside, OWN, end])
    assert first["choices"] == [choice({"tool_calls": [CALL]})]
    assert own["choices"][0]["delta"] == {"content": "own"}
    assert last["choices"] == [choice({}, "tool_calls")]


def test_members_outside_the_channels_leave_once() -> None:
    body = chunk(choice({"content": "a", "annotations": CITED, "x": 1}, "stop", note="n"), x_top={"k": ["v"]})
    text, beside, end = decode(body)
    first, _, last = encode([text, beside, OWN, end])
    assert first["choices"] == [choice({"content": "a", "annotations": CITED, "x": 1}, note="n")]
    assert first["x_top"] == {"k": ["v"]}
    assert last["choices"] == [choice({"content": ""}, "stop")]
    assert "x_top" not in last


@pytest.mark.parametrize(
    ("delta", "left"),
    [
        ({"tool_calls": [{**CALL, "x": {"y": "z"}}]}, {"tool_calls": [{**CALL, "function": {"arguments": "{}"}}]}),
        (
            {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "n", "input": "i"}}]},
            {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"input": "i"}}]},
        ),
        ({"function_call": {"name": "n", "arguments": "{}", "x": ["y"]}}, {"function_call": {"arguments": "{}"}}),
        ({"content": "a", "reasoning_details": [{"text": "t"}]}, {"content": "a"}),
        ({"content": [{"type": "image", "url": "t"}], "refusal": "r"}, {"refusal": "r"}),
        ({"content": "a", "tool_calls": {"x": "y"}}, {"content": "a"}),
        ({"content": "a", "function_call": ["y"]}, {"content": "a"}),
    ],
)
def test_what_a_stage_keeps_of_a_chunk_is_left_out(delta: JsonObject, left: JsonObject) -> None:
    (first,) = encode([event for event in decode(chunk(choice(delta))) if not isinstance(event, Opaque)])
    assert first["choices"] == [choice(left)]


def test_logprobs_whose_strings_a_stage_keeps_are_none() -> None:
    scored = {"content": [{"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    text, _ = decode(chunk(choice({"content": "a"}, logprobs=scored)))
    assert encode([text])[0]["choices"] == [choice({"content": "a"}, logprobs=None)]


def test_usage_leaves_without_the_strings_that_a_stage_keeps() -> None:
    usage = {**USAGE, "x_details": {"k": "v"}}
    report = next(event for event in decode(chunk(usage=usage, x="y")) if isinstance(event, UsageReport))
    (sent,) = encode([report])
    assert (sent["usage"], sent.get("x")) == (USAGE, None)


def test_a_text_leaves_ahead_of_usage_with_strings_and_of_these() -> None:
    text, beside, report = decode(chunk(choice({"content": "a"}), usage={**USAGE, "x_details": {"k": "v"}}))
    first, _, last = encode([text, OWN, beside, report])
    assert (first["choices"], first.get("usage")) == ([choice({"content": "a"})], None)
    assert (last["choices"], last["usage"]["x_details"]) == ([choice({"content": ""})], {"k": "v"})


@given(chunks(), st.data())
def test_no_string_that_a_guard_keeps_leaves_and_the_others_leave_once(payload: bytes, data: st.DataObject) -> None:
    events = decode(payload)
    cut = data.draw(st.integers(0, len(events)))
    sent = encode([*events[:cut], OWN, *events[cut:]])
    kept = encode([event for event in events if not isinstance(event, Opaque)])
    for event in events:
        for slot in event.texts() if isinstance(event, Opaque) else ():
            if len(slot.text) < 3 or not slot.text.startswith("x_"):
                continue
            before = [*strings(msgspec.json.decode(payload))].count(slot.text)
            assert [*strings(sent)].count(slot.text) == before
            texts = [one.text for one in events if isinstance(one, TextEvent)]
            assert slot.text in texts or slot.text not in strings(kept)
