"""Streams in: when an answer is complete, what is an error, and that no string passes unseen."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core.costs import Provisional
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Finish, Opaque, ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.core.dialects.chat_chunks import USAGE, choice, chunk, decode, encode, payloads

DONE = b"[DONE]"
HUGE = 10**4298
"""No count: a row that multiplies it with a price could not be written."""


def ends(*stream: bytes) -> str:
    """The code with which a stream ends, "" if it is complete."""
    decoder = OPENAI_CHAT.stream_decoder()
    try:
        for payload in stream:
            decoder.decode(payload)
        decoder.end()
    except UpstreamError as error:
        return error.code
    return ""


def test_u09b_an_end_without_a_finish_reason_is_an_interruption() -> None:
    assert ends(chunk(choice({"content": "a"}))) == "upstream_stream_interrupted"
    assert ends() == "upstream_stream_interrupted"


def test_u09c_an_end_after_the_finish_reason_is_complete_without_done() -> None:
    assert ends(chunk(choice({"content": "a"})), chunk(choice({}, "stop"))) == ""


def test_u09d_done_without_a_finish_reason_is_an_interruption() -> None:
    assert ends(chunk(choice({"content": "a"})), DONE) == "upstream_stream_interrupted"
    assert ends(DONE) == "upstream_stream_interrupted"


def test_u25_what_follows_done_is_dropped() -> None:
    decoder = OPENAI_CHAT.stream_decoder()
    decoder.decode(DONE)
    assert decoder.done
    assert decoder.decode(b"not json") == ()


def test_u28_a_stream_is_complete_only_when_every_choice_is() -> None:
    both = chunk(choice({"content": "a"}), choice({"content": "b"}, index=1))
    assert ends(both, chunk(choice({}, "stop", 1)), DONE) == "upstream_stream_interrupted"
    assert ends(both, chunk(choice({}, "stop", 1)), chunk(choice({}, "stop")), DONE) == ""


def test_u28_interleaved_tool_calls_keep_order_and_index() -> None:
    def part(index: int, text: str, **fields: JsonValue) -> JsonObject:
        return {"index": index, **fields, "function": {"arguments": text}}

    stream = [
        chunk(choice({"tool_calls": [part(1, "{", id="b"), part(0, "[", id="a")]})),
        chunk(choice({"tool_calls": [part(0, "]")]}, index=1), choice({"tool_calls": [part(1, "}")]})),
        chunk(choice({}, "tool_calls"), choice({}, "tool_calls", 1)),
    ]
    events = decode(*stream)
    calls = [(event.choice, event.index, event.text) for event in events if isinstance(event, ToolCallDelta)]
    assert calls == [(0, 1, "{"), (0, 0, "["), (1, 0, "]"), (0, 1, "}")]
    assert payloads(events) == stream


@pytest.mark.parametrize(
    ("payload", "code", "status"),
    [
        (b'{"error":"it broke"}', "upstream_error", 502),
        (b'{"error":{"message":"slow down","code":429}}', "rate_limit_exceeded", 429),
        (b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}', "rate_limit_exceeded", 429),
        (b'{"error":{"message":"bad key","code":"invalid_api_key"}}', "upstream_auth_error", 502),
        (b'{"error":{"message":"pay","code":"insufficient_quota"}}', "overloaded", 503),
        (b'{"error":{"message":"x","code":"internal_error"}}', "upstream_error", 502),
        (b'{"error":{"code":true,"message":7}}', "upstream_error", 502),
        (b'{"error":[1]}', "upstream_error", 502),
        (b'{"error":{"message":"x","code":"context_length_exceeded"}}', "invalid_request", 400),
        (b'{"error":{"message":"x","code":"invalid_prompt","type":"server_error"}}', "invalid_request", 400),
        (b'{"error":{"message":"x","code":"image_too_large"}}', "invalid_request", 400),
        (b'{"error":{"message":"x","code":"tool_use_failed","type":"invalid_request_error"}}', "invalid_request", 400),
        (b'{"error":{"message":"x","code":"tool_use_failed","status_code":400}}', "invalid_request", 400),
        (b'{"error":{"message":"x","code":null,"type":"rate_limit_error"}}', "rate_limit_exceeded", 429),
        (b'{"error":{"code":"rate_limit_exceeded","type":"invalid_request_error"}}', "rate_limit_exceeded", 429),
        (b'{"error":{"code":"model_not_found","type":"invalid_request_error"}}', "model_not_found", 404),
        (b'{"error":{"code":"invalid_api_key","type":"invalid_request_error"}}', "upstream_auth_error", 502),
        (b'{"error":{"message":"x","code":["context_length_exceeded"],"type":{}}}', "upstream_error", 502),
    ],
)
def test_u13_an_error_in_a_stream_is_raised(payload: bytes, code: str, status: int) -> None:
    with pytest.raises(UpstreamError) as caught:
        decode(payload)
    assert (caught.value.code, caught.value.status) == (code, status)
    with pytest.raises(UpstreamError):
        OPENAI_CHAT.decode_answer(payload)


def test_u13_an_event_named_error_is_an_error_whatever_it_holds() -> None:
    with pytest.raises(UpstreamError, match="it broke"):
        OPENAI_CHAT.stream_decoder().decode(b'{"message":"it broke"}', "error")


@pytest.mark.parametrize(
    "payload",
    [
        b"<html>",
        b'{"choices":[',
        b'"\xff"',
        b'{"choices":["\x00"]}',
        b"[]",
        b"1",
        b'{"choices":{}}',
        b'{"choices":[1]}',
        b'{"choices":[{"index":"0"}]}',
        b'{"choices":[{"delta":[1]}]}',
        b'{"choices":[{"delta":{"tool_calls":[1]}}]}',
        b'{"choices":[{"finish_reason":1}]}',
        b"[" * 100,
    ],
)
def test_u11_a_chunk_that_is_none_is_an_invalid_response(payload: bytes) -> None:
    assert ends(payload) == "upstream_invalid_response"


@pytest.mark.parametrize("payload", [b"", b"{}"])
def test_u10_an_empty_ping_has_no_events(payload: bytes) -> None:
    assert decode(payload) == []


@pytest.mark.parametrize("payload", [b'{"id":"c","x":1}', b'{"id":"c","choices":null,"x":1}'])
def test_a_chunk_without_choices_leaves_with_an_empty_list(payload: bytes) -> None:
    (sent,) = payloads(decode(payload))
    assert msgspec.json.decode(sent) == {"id": "c", "choices": [], "x": 1}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USAGE, Usage(3, 2, 5)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, Usage()),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 0}, Usage(3, 2, 0)),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 9}, Usage(3, 2, 9)),
        ({"prompt_tokens": 3, "completion_tokens": 2}, Usage(3, 2, 5)),
        ({"prompt_tokens": 3}, Provisional(3, 0, 3)),
        ({"prompt_tokens": 3, "total_tokens": 3}, Usage(3, 0, 3)),
        ({"prompt_tokens": 3, "total_tokens": 2}, Provisional(3, 0, 2)),
        ({"prompt_tokens": 3, "total_tokens": 5}, Usage(3, 2, 5)),
        ({"completion_tokens": 2, "total_tokens": 5}, Usage(3, 2, 5)),
        ({"completion_tokens": 2, "total_tokens": 2}, None),
        ({"completion_tokens": 2}, None),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}, Provisional(3, 0, 3, 2)),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": "2"}}, Provisional(3, 0, 3)),
        ({"total_tokens": 50}, None),
        ({"prompt_tokens": None, "completion_tokens": None, "total_tokens": 0}, None),
        ({"prompt_tokens": -3}, None),
        ({"prompt_tokens": "3"}, None),
        ({"prompt_tokens": 3.0}, None),
        ({"prompt_tokens": True}, None),
        ({"prompt_tokens": 1 << 53}, Provisional(1 << 53, 0, 1 << 53)),
        ({"prompt_tokens": (1 << 53) - 1, "completion_tokens": 1}, Usage((1 << 53) - 1, 1, 1 << 53)),
        ({"prompt_tokens": 1 << 53, "completion_tokens": 1}, None),
        ({"prompt_tokens": 1 << 53, "completion_tokens": 1 << 53, "total_tokens": 1}, None),
        ({"prompt_tokens": (1 << 53) + 1}, None),
        ({"prompt_tokens": 3, "completion_tokens": HUGE}, None),
        ({"prompt_tokens": 3, "total_tokens": HUGE}, None),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": HUGE}}, Provisional(3, 0, 3)),
        ({}, None),
        ([], None),
        ("many", None),
        (None, None),
    ],
)
def test_u26_usage_is_what_was_reported_or_nothing(usage: object, expected: Usage | None) -> None:
    reports = [event.usage for event in decode(chunk(usage=usage)) if isinstance(event, UsageReport)]
    assert reports == ([expected] if expected else [])
    body = {"choices": [{"message": {"content": ""}}], "usage": usage}
    assert OPENAI_CHAT.decode_answer(msgspec.json.encode(body)).usage == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [("default", "default"), ("flex", "flex"), ("auto", None), (None, None), ("", None), (1, None)],
)
def test_the_tier_that_served_an_answer_is_in_its_usage(said: JsonValue, expected: str | None) -> None:
    body = {"choices": [{"message": {"content": ""}}], "usage": USAGE, "service_tier": said}
    whole = OPENAI_CHAT.decode_answer(msgspec.json.encode(body)).usage
    opening, plain = chunk(choice({"role": "assistant"}), service_tier=said), chunk(choice({"content": "a"}, "stop"))
    content = chunk(choice({"content": "a"}), service_tier=said)
    for stream in (
        [chunk(usage=USAGE, service_tier=said)],
        [opening, plain, chunk(usage=USAGE)],
        [chunk(choice({"role": "assistant"})), content, plain, chunk(usage=USAGE)],
    ):
        (told,) = [event.usage for event in decode(*stream) if isinstance(event, UsageReport)]
        assert told == whole == Usage(3, 2, 5, service_tier=expected)


def test_u26_of_cumulative_counts_the_last_one_counts() -> None:
    stream = [chunk(choice({"content": "a"}), usage={**USAGE, "completion_tokens": n}) for n in range(3)]
    usage = OPENAI_CHAT.assemble(decode(*stream)).usage
    assert usage is not None
    assert usage.completion_tokens == 2


@pytest.mark.parametrize(
    "payload",
    [
        chunk(choice({"x": "secret"})),
        chunk(choice({"secret": 1})),
        chunk(choice({"content": ["secret"]})),
        chunk(choice({"content": {"text": "secret"}})),
        chunk(choice({"tool_calls": "secret"})),
        chunk(choice({"tool_calls": {"x": {"function": {"arguments": "secret"}}}})),
        chunk(choice({"tool_calls": [{"function": {"name": "secret", "arguments": ""}}]})),
        chunk(choice({"tool_calls": [{"function": {"arguments": ["secret"]}}]})),
        chunk(choice({"tool_calls": [{"id": {"a": "secret"}}]})),
        chunk(choice({"function_call": "secret"})),
        chunk(choice({"x": {"function": {"arguments": "secret"}}})),
        chunk(choice({"reasoning_content": "a", "reasoning": "secret"})),
        chunk(choice({"role": ["secret"]})),
        chunk(choice({}, x="secret")),
        chunk(choice({}, logprobs={"content": [{"token": "secret"}]})),
        chunk(x={"a": ["secret"]}),
        chunk(usage={"note": "secret"}),
        chunk(service_tier={"a": "secret"}),
        chunk(service_tier=["secret"]),
        chunk(usage="secret"),
    ],
)
def test_h48_no_string_of_a_chunk_is_outside_channels_and_slots(payload: bytes) -> None:
    opaque = [event for event in decode(payload) if isinstance(event, Opaque)]
    assert "secret" in [slot.text for event in opaque for slot in event.texts()]
    masked = [event.with_texts({s.path: "***" for s in event.texts() if s.text == "secret"}) for event in opaque]
    assert b"secret" not in b"".join(payloads(masked))


def test_channels_of_one_chunk_arrive_in_its_order() -> None:
    payload = chunk(choice({"role": "assistant", "reasoning": "r", "content": "c"}, "stop"), usage=USAGE)
    kinds = [type(event) for event in decode(payload)]
    assert kinds == [ReasoningDelta, TextDelta, Finish, UsageReport]


def test_arguments_that_come_as_an_object_are_the_text_that_says_it() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": {"city": "Rome"}}}
    calls = [event for event in decode(chunk(choice({"tool_calls": [call]}))) if isinstance(event, ToolCallDelta)]
    assert [(event.name, event.text) for event in calls] == [("f", '{"city":"Rome"}')]


@pytest.mark.parametrize(
    "said",
    [{}, {"delta": None}, {"content_filter_results": {}, "content_filter_offsets": {"check_offset": 0}}],
    ids=["none", "null", "verdict"],
)
def test_a_choice_without_a_delta_leaves_with_an_empty_one(said: JsonObject) -> None:
    (event,) = decode(chunk({"index": 0, "finish_reason": None, **said}))
    assert isinstance(event, Opaque)
    (sent,) = encode([event])
    assert sent["choices"] == [{"index": 0, "finish_reason": None, **said, "delta": {}}]


def test_an_end_without_a_delta_leaves_with_an_empty_one() -> None:
    (sent,) = encode(decode(chunk({"index": 0, "finish_reason": "stop"})))
    assert sent["choices"] == [{"index": 0, "finish_reason": "stop", "delta": {}}]


@pytest.mark.parametrize("holder", ["tool_calls", "function_call"])
def test_clients_get_arguments_that_came_as_an_object_as_text(holder: str) -> None:
    function = {"name": "f", "arguments": {"city": "Rome"}}
    said = {holder: function if holder == "function_call" else [{"index": 0, "id": "c", "function": function}]}
    (sent,) = encode(decode(chunk(choice(said))))
    told = sent["choices"][0]["delta"][holder]
    assert (told if holder == "function_call" else told[0]["function"])["arguments"] == '{"city":"Rome"}'
