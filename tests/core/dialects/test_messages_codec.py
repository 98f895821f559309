"""Anthropic's Messages: what no stage touched leaves as it came, and what guards are shown."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.costs import Provisional
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.errors import Refusal, SentinelError, UpstreamError
from sentinel_core.events import Event, Finish, Opaque, ReasoningDelta, TextDelta, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Request
from sentinel_core.usage import Usage
from tests.core.dialects.messages_client import events_of, written
from tests.properties import promised
from tests.upstream.anthropic import (
    block,
    ending,
    message,
    message_stream,
    named,
    opening,
    text_block,
    thinking_block,
    tool_block,
)


def decoded(**fields: JsonValue) -> Request:
    body = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
    return ANTHROPIC_MESSAGES.decode_request(body)


def bodies(wire: bytes) -> list[JsonValue]:
    return [json.loads(event.data) for event in SseParser().feed(wire)]


def blocks_of(wire: bytes) -> list[tuple[str, str]]:
    """What a client puts together: per block its type, and its text or JSON. Fails for blocks that are not in order."""
    blocks: list[tuple[str, str]] = []
    is_open = False
    for body in bodies(wire):
        if body["type"] == "content_block_start":
            assert not is_open
            assert body["index"] == len(blocks)
            is_open = True
            blocks.append((body["content_block"]["type"], ""))
        elif body["type"] == "content_block_delta":
            assert is_open
            assert body["index"] == len(blocks) - 1
            kind, text = blocks[-1]
            delta = body["delta"]
            blocks[-1] = (kind, text + (delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""))
        elif body["type"] == "content_block_stop":
            assert is_open
            assert body["index"] == len(blocks) - 1
            is_open = False
    assert not is_open
    return blocks


CITATION = {"type": "char_location", "cited_text": "quoted", "document_index": 0, "document_title": "Paper"}
SERVER_TOOL = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}
RICH = message_stream(
    blocks=[
        thinking_block(0, "hm ", "é🙂"),
        block(1, {"type": "redacted_thinking", "data": "blob"}),
        block(2, SERVER_TOOL, {"type": "input_json_delta", "partial_json": '{"query":"x"}'}),
        block(
            3,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "said"},
            {"type": "citations_delta", "citation": CITATION},
        ),
        tool_block(4, "toolu_1", "weather", "", '{"city":', '"Rome"}'),
        tool_block(5, "toolu_2", "now"),
        [named({"type": "a_new_event", "note": "unknown"})],
    ],
    reason="tool_use",
)
WIRE = b"".join(RICH)


def test_an_untouched_stream_leaves_frame_by_frame_as_it_came_without_its_pings() -> None:
    assert written(events_of(WIRE, whole=True)) == b"".join(event for event in RICH if b"ping" not in event)


@promised()
@given(st.lists(st.integers(min_value=0, max_value=len(WIRE)), max_size=20))
def test_p8_any_byte_split_gives_the_same_events(places: list[int]) -> None:
    decoder, parser = ANTHROPIC_MESSAGES.stream_decoder(), SseParser()
    found: list[Event] = []
    for start, end in pairwise(sorted({0, len(WIRE), *places})):
        found += [event for data, name in parser.feed(WIRE[start:end]) for event in decoder.decode(data, name)]
    assert decoder.done
    assert [(type(event), getattr(event, "text", "")) for event in found] == [
        (type(event), getattr(event, "text", "")) for event in events_of(WIRE, whole=True)
    ]


def test_channels_tool_numbers_ends_and_running_usage() -> None:
    events = events_of(WIRE, whole=True)
    tools = [(event.index, event.id, event.name, event.text) for event in events if isinstance(event, ToolCallDelta)]
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "hm é🙂"
    assert tools == [
        (-1, "srv_1", "web_search", ""),
        (-1, None, None, '{"query":"x"}'),
        (0, "toolu_1", "weather", ""),
        (0, None, None, ""),
        (0, None, None, '{"city":'),
        (0, None, None, '"Rome"}'),
        (1, "toolu_2", "now", ""),
    ]
    assert [event.reason for event in events if isinstance(event, Finish)] == ["tool_calls"]
    assert [event.usage for event in events if isinstance(event, UsageReport)] == [Provisional(3, 1, 4), Usage(3, 2, 5)]


def test_strings_outside_the_channels_are_slots_and_binary_ones_are_not() -> None:
    found = {slot.text for event in events_of(WIRE, whole=True) if isinstance(event, Opaque) for slot in event.slots}
    assert {"quoted", "Paper", "web_search", "unknown", "note"} <= found
    assert not {"blob", "sig", "srv_1", "toolu_1"} & found


def test_usage_counts_the_cache_and_is_cumulative() -> None:
    cached = {"cache_read_input_tokens": 10, "cache_creation_input_tokens": 5}
    events = events_of(b"".join([opening(**cached), *text_block(0, "a"), *ending(output_tokens=7)]), whole=True)
    assert [event.usage for event in events if isinstance(event, UsageReport)][-1] == Usage(18, 7, 25, 10, 0, 5)


def test_the_tier_that_served_a_message_is_in_its_usage() -> None:
    events = events_of(b"".join([opening(service_tier="priority"), *text_block(0, "a"), *ending()]), whole=True)
    told = [event.usage for event in events if isinstance(event, UsageReport)]
    assert [usage.service_tier for usage in told] == ["priority", "priority"]


@pytest.mark.parametrize("parts", [[opening()], [opening(), *text_block(0, "a")], [opening(), *ending(None)]])
def test_u09_an_end_without_a_stop_reason_is_a_fault(parts: list[bytes]) -> None:
    with pytest.raises(UpstreamError) as raised:
        events_of(b"".join(parts), whole=True)
    assert raised.value.code == "upstream_stream_interrupted"


def test_text_behind_the_end_of_its_block_is_a_fault() -> None:
    late = named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}})
    with pytest.raises(UpstreamError) as raised:
        events_of(b"".join([opening(), *text_block(0, "a"), late]))
    assert raised.value.code == "upstream_invalid_response"
    again = [opening(), *text_block(0, "a"), *text_block(0, "b"), *ending()]
    assert "".join(e.text for e in events_of(b"".join(again), whole=True) if isinstance(e, TextDelta)) == "ab"


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("overloaded_error", "overloaded", 503),
        ("rate_limit_error", "rate_limit_exceeded", 429),
        ("authentication_error", "upstream_auth_error", 502),
        ("api_error", "upstream_error", 502),
    ],
)
def test_an_error_event_is_the_error_it_names(kind: str, code: str, status: int) -> None:
    decoder = ANTHROPIC_MESSAGES.stream_decoder()
    with pytest.raises(UpstreamError) as raised:
        decoder.decode(json.dumps({"type": "error", "error": {"type": kind, "message": "m"}}).encode(), "error")
    assert (raised.value.code, raised.value.status) == (code, status)


@pytest.mark.parametrize("payload", [b"oops", b"[]", b'{"type": 3}', b'{"type":"content_block_delta","delta":{}}'])
def test_u11_what_is_no_event_is_a_fault(payload: bytes) -> None:
    with pytest.raises(UpstreamError) as raised:
        ANTHROPIC_MESSAGES.stream_decoder().decode(payload)
    assert raised.value.code == "upstream_invalid_response"


def test_changed_text_is_patched_into_its_frame() -> None:
    changed = [
        event.with_text(event.text.upper()) if isinstance(event, TextEvent) else event
        for event in events_of(WIRE, whole=True)
    ]
    assert blocks_of(written(changed)) == [
        ("thinking", "HM É🙂"),
        ("redacted_thinking", ""),
        ("server_tool_use", '{"QUERY":"X"}'),
        ("text", "SAID"),
        ("tool_use", '{"CITY":"ROME"}'),
        ("tool_use", ""),
    ]


def test_text_that_a_stage_keeps_is_taken_out_and_unseen_strings_with_it() -> None:
    kept = [event for event in events_of(WIRE, whole=True) if not isinstance(event, TextDelta)]
    assert ("text", "") in blocks_of(written(kept))


def test_text_that_a_guard_releases_at_the_end_goes_where_it_belongs() -> None:
    """A guard that holds text until the answer ends: blocks stay whole, in order, one at a time."""
    events = events_of(WIRE, whole=True)
    held = [event for event in events if isinstance(event, TextEvent)]
    passing = [event for event in events if not isinstance(event, TextEvent)]
    end = next(index for index, event in enumerate(passing) if isinstance(event, Finish))
    blocks = blocks_of(written([*passing[:end], *held, *passing[end:]]))
    assert [text for kind, text in blocks if kind == "tool_use" and text] == ['{"city":"Rome"}']
    assert "".join(text for kind, text in blocks if kind == "text") == "said"


def tool_events() -> tuple[ToolCallDelta, Opaque, ToolCallDelta, list[Event]]:
    """A tool's call, the strings of its start, its input, and what follows."""
    wire = b"".join(message_stream(blocks=[tool_block(0, "t1", "look", '{"a":1}')], reason="tool_use"))
    _, call, strings, given_input, *rest = events_of(wire, whole=True)
    assert isinstance(call, ToolCallDelta)
    assert isinstance(strings, Opaque)
    assert isinstance(given_input, ToolCallDelta)
    return call, strings, given_input, rest


def tools_of(wire: bytes) -> list[JsonObject]:
    return [body["content_block"] for body in bodies(wire) if body["type"] == "content_block_start"]


@pytest.mark.parametrize("held", ["its own event", "a later event", "after the block"])
def test_a_tool_whose_strings_left_ahead_of_it_is_one_block_with_its_name(held: str) -> None:
    call, strings, given_input, (stop, *rest) = tool_events()
    order: dict[str, list[Event]] = {
        "its own event": [strings, call, given_input, stop],
        "a later event": [strings, given_input, stop],
        "after the block": [strings, stop, call, given_input],
    }
    wire = written([*order[held], *rest])
    assert tools_of(wire) == [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]
    assert blocks_of(wire) == [("tool_use", '{"a":1}')]


def test_a_tools_name_that_a_guard_changed_is_the_one_that_is_written() -> None:
    _, strings, given_input, rest = tool_events()
    wire = written([strings.with_texts({strings.slots[0].path: "***"}), given_input, *rest])
    assert [tool["name"] for tool in tools_of(wire)] == ["***"]


def test_a_tool_that_a_stage_takes_out_leaves_no_empty_block() -> None:
    _, strings, _, rest = tool_events()
    assert tools_of(written([strings, *rest])) == []


def test_the_strings_of_a_tool_that_has_begun_begin_it_no_second_time() -> None:
    call, strings, given_input, rest = tool_events()
    assert len(tools_of(written([call, given_input, strings, *rest]))) == 1


ARGUMENTS = ('{"a":1}', '{"b":{"c":"d"}}', "{}")


@given(st.permutations([(tool, char) for tool in range(3) for char in range(len(ARGUMENTS[tool]))]))
def test_u28_interleaved_tool_calls_stay_valid_json(order: list[tuple[int, int]]) -> None:
    said = [0, 0, 0]
    events: list[Event] = []
    for tool, _ in order:  # any interleaving, each tool's own characters in order
        first = said[tool] == 0
        text = ARGUMENTS[tool][said[tool]]
        said[tool] += 1
        events.append(
            ToolCallDelta(index=tool, text=text, id=f"t{tool}" if first else None, name="n" if first else None)
        )
    wire = written([*events, Finish(reason="tool_calls")])
    starts = [body["content_block"]["id"] for body in bodies(wire) if body["type"] == "content_block_start"]
    texts = dict(zip(starts, [text for _, text in blocks_of(wire)], strict=True))
    assert texts == {f"t{tool}": ARGUMENTS[tool] for tool in range(3)}


def test_frameless_events_become_a_whole_message() -> None:
    usage = UsageReport(usage=Usage(10, 4, 14, 6))
    wire = written(
        [ReasoningDelta(text="hm"), TextDelta(text="a"), TextDelta(text="b"), Finish(reason="length"), usage]
    )
    assert blocks_of(wire) == [("thinking", "hm"), ("text", "ab")]
    assert (bodies(wire)[0]["type"], bodies(wire)[-1]["type"]) == ("message_start", "message_stop")
    last = bodies(wire)[-2]
    assert last["delta"] == {"stop_reason": "max_tokens", "stop_sequence": None}
    assert last["usage"] == {"input_tokens": 4, "output_tokens": 4, "cache_read_input_tokens": 6}


def test_a_stream_that_breaks_ends_in_an_error_event_and_nothing_else() -> None:
    encoder = ANTHROPIC_MESSAGES.stream_encoder(decoded(stream=True))
    encoder.encode(TextDelta(text="a"))
    wire = encoder.fail(UpstreamError("upstream_stream_interrupted"))
    assert wire.startswith(b"event: error\n")
    assert [body["error"]["type"] for body in bodies(wire)] == ["api_error"]


def test_u08_a_block_that_ended_before_its_stream_breaks_has_its_end() -> None:
    arrived = [opening(), *text_block(0, "a")]
    encoder = ANTHROPIC_MESSAGES.stream_encoder(decoded(stream=True))
    wire = b"".join(map(encoder.encode, events_of(b"".join(arrived))))
    wire += encoder.fail(UpstreamError("upstream_stream_interrupted"))
    assert wire.partition(b"event: error\n")[0] == b"".join(arrived)


def test_a_message_and_its_stream_say_the_same() -> None:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "w", "input": {"a": [1, {"b": None}]}}
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    redacted = {"type": "redacted_thinking", "data": "blob"}
    search = {**SERVER_TOOL, "input": {"query": "x"}}
    remote = {"type": "mcp_tool_use", "id": "m_1", "name": "get", "server_name": "docs", "input": {}}
    blocks = (thought, redacted, search, "said", tool, remote)
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(message(*blocks)).encode())
    again = ANTHROPIC_MESSAGES.assemble(ANTHROPIC_MESSAGES.stream_frames(answer))
    assert again.body == answer.body
    assert again.usage == answer.usage == Usage(3, 2, 5)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"content":"x"}', b'{"content":[{"type":"tool_use"}]}', b"<html>"]
)
def test_u12_what_is_no_message_is_a_fault(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as raised:
        ANTHROPIC_MESSAGES.decode_answer(raw)
    assert raised.value.code == "upstream_invalid_response"


def test_an_untouched_answer_is_byte_for_byte_the_upstreams() -> None:
    raw = json.dumps(message("é", unknown={"kept": True}), indent=1).encode()
    assert ANTHROPIC_MESSAGES.encode_answer(ANTHROPIC_MESSAGES.decode_answer(raw)) == raw


def test_changed_text_takes_its_quotes_and_signatures_with_it() -> None:
    body = message({"type": "text", "text": "Ann", "citations": [CITATION]}, "x")
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(body).encode())
    changed = answer.with_texts({("content", 0, "text"): "[NAME]"})
    assert changed.body["content"] == [
        {"type": "text", "text": "[NAME]", "citations": None},
        {"type": "text", "text": "x"},
    ]


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4), st.text(max_size=12))
def test_a_lane_that_changed_is_spread_over_its_blocks_without_loss(texts: list[str], new: str) -> None:
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(message(*texts)).encode())
    events = [
        TextDelta(text=new),
        *(event for event in ANTHROPIC_MESSAGES.decompose(answer) if not isinstance(event, TextDelta)),
    ]
    changed = ANTHROPIC_MESSAGES.recompose(answer, events)
    assert "".join(block["text"] for block in changed.body["content"]) == new
    assert ANTHROPIC_MESSAGES.recompose(answer, ANTHROPIC_MESSAGES.decompose(answer)) is answer


def test_a_changed_tool_input_is_an_object_again() -> None:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "w", "input": {"city": "Rome"}}
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(message(tool)).encode())
    events = [
        event.with_text('{"city": "[CITY]"}') if isinstance(event, ToolCallDelta) else event
        for event in ANTHROPIC_MESSAGES.decompose(answer)
    ]
    assert ANTHROPIC_MESSAGES.recompose(answer, events).body["content"][0]["input"] == {"city": "[CITY]"}


def test_guards_see_every_text_of_a_request_and_no_binary() -> None:
    request = decoded(
        system=[{"type": "text", "text": "rules", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        tools=[{"name": "weather", "description": "tells", "input_schema": {"type": "object"}}],
        metadata={"user_id": "u-1"},
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "thought", "signature": "sig"},
                    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"id": "secret", "type": "t"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "hot"}]}
                ],
            },
        ],
    )
    slots = {slot.text: (slot.role, slot.kind) for slot in request.texts()}
    assert slots["rules"] == ("system", "content")
    assert slots["plain"] == ("user", "content")
    assert slots["thought"] == ("assistant", "reasoning")
    assert slots['{"id":"secret","type":"t"}'] == ("assistant", "tool_arguments")
    assert slots["hot"] == ("tool", "content")
    assert {"tells", "weather", "u-1"} <= slots.keys()
    assert not {"AAAA", "sig", "toolu_1", "claude"} & slots.keys()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 1.5}, "temperature"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_use"}]}]}, "messages[0].content[0].input"),
        ({"system": 3}, "system"),
        ({"tools": ["x"]}, "tools"),
        ({"api_base": "http://elsewhere"}, "api_base"),
    ],
)
def test_requests_are_refused_by_name(fields: JsonObject, param: str) -> None:
    with pytest.raises(Refusal) as raised:
        decoded(**fields)
    assert raised.value.status == 400
    assert raised.value.param == param


def test_a_request_leaves_as_it_came_under_the_targets_model() -> None:
    request = decoded(unknown={"kept": [1]}, session_id="s")
    assert json.loads(ANTHROPIC_MESSAGES.encode_request(request, "other")) == {**request.body, "model": "other"}
    assert request.gateway == {"session_id": "s"}


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (502, "api_error"), (503, "overloaded_error")]
)
def test_errors_are_in_anthropics_envelope(status: int, kind: str) -> None:
    error = SentinelError("internal_error", "words", status=status)
    assert json.loads(ANTHROPIC_MESSAGES.encode_error(error, "req-1")) == {
        "type": "error",
        "error": {"type": kind, "message": "words"},
        "request_id": "req-1",
    }


def test_counting_needs_no_length_and_does_not_stream() -> None:
    body = {"model": "claude", "messages": [{"role": "user", "content": "hi"}]}
    assert ANTHROPIC_COUNTING.decode_request(body).operation == "count_tokens"
    with pytest.raises(Refusal):
        ANTHROPIC_COUNTING.decode_request({**body, "stream": True})
    assert ANTHROPIC_COUNTING.decode_answer(b'{"input_tokens": 0}').body == {"input_tokens": 0}
    with pytest.raises(UpstreamError):
        ANTHROPIC_COUNTING.decode_answer(b'{"input_tokens": "3"}')


def test_guards_of_streams_see_a_counts_strings_too() -> None:
    counted = ANTHROPIC_COUNTING.decode_answer(b'{"input_tokens": 1, "note": "secret"}')
    (rest,) = ANTHROPIC_COUNTING.decompose(counted)
    assert isinstance(rest, Opaque)
    assert {slot.text for slot in rest.slots} == {"note", "secret"}
    assert ANTHROPIC_COUNTING.recompose(counted, [rest]) == counted


@pytest.mark.parametrize("name", ["inference_geo", "service_tier", "speed"])
def test_h46_what_a_caller_puts_in_the_place_of_an_option_is_read(name: str) -> None:
    def read(value: str) -> list[tuple[tuple[str | int, ...], str]]:
        request = decoded(**{name: value})
        return [(slot.path, slot.text) for slot in request.texts() if slot.path[0] not in ("messages", "model")]

    assert read("standard") == []
    assert read("my secret") == [((name,), "my secret")]


def test_a_message_that_opens_commits_to_nothing_whatever_else_it_tells() -> None:
    decoder, encoder = ANTHROPIC_MESSAGES.stream_decoder(), ANTHROPIC_MESSAGES.stream_encoder(decoded(stream=True))
    body = {"type": "message_start", "message": {**message(), "content": [], "diagnostics": None}}
    *_, opened = decoder.decode(json.dumps(body).encode())
    assert isinstance(opened, Opaque)
    assert opened.slots
    assert (decoder.bears_content(opened), encoder.opens(opened)) == (False, True)
