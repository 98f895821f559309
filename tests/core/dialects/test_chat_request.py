"""Requests: everything the client sent goes on, except what is the gateway's; what is refused names its parameter."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.request import GATEWAY_FIELDS
from sentinel_core.errors import Refusal
from sentinel_core.events import Opaque
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values
from tests.upstream.payloads import completion, delta

MESSAGES = [{"role": "user", "content": "x"}]
JSON = json_values(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.text(max_size=3), levels=3, width=3
)
FIELDS = st.dictionaries(st.text(max_size=4).map("x_".__add__), JSON, max_size=4)


def sent(body: JsonObject, model: str = "m") -> JsonObject:
    raw = OPENAI_CHAT.encode_request(OPENAI_CHAT.decode_request(body), model)
    decoded: JsonObject = msgspec.json.decode(raw)
    return decoded


@given(FIELDS, FIELDS)
def test_unknown_fields_reach_the_upstream_in_their_order(before: JsonObject, after: JsonObject) -> None:
    body = {**before, "model": "m", "messages": [{**MESSAGES[0], **after}], **after}
    assert repr(sent(body)) == repr(body)


@given(st.sets(st.sampled_from(sorted(GATEWAY_FIELDS))), JSON)
def test_the_gateways_own_fields_never_leave(names: set[str], value: JsonValue) -> None:
    body = {"model": "m", "messages": MESSAGES, **dict.fromkeys(names, value)}
    request = OPENAI_CHAT.decode_request(body)
    assert request.gateway == dict.fromkeys(names, value)
    assert sent(body) == {"model": "m", "messages": MESSAGES}


def test_the_targets_model_takes_the_place_of_the_requested_one() -> None:
    assert next(iter(sent({"model": "a", "messages": MESSAGES}, "b").items())) == ("model", "b")


@pytest.mark.parametrize(
    ("options", "upstream", "asked"),
    [
        (None, {"include_usage": True}, False),
        ({}, {"include_usage": True}, False),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}, False),
        ({"include_usage": True, "x": 1}, {"include_usage": True, "x": 1}, True),
        ({"include_usage": "yes"}, {"include_usage": True}, False),
    ],
)
def test_a_streams_usage_is_always_asked_for(options: JsonValue, upstream: JsonValue, asked: bool) -> None:
    body = {"model": "m", "stream": True, "messages": MESSAGES, "stream_options": options}
    assert OPENAI_CHAT.decode_request(body).include_usage is asked
    assert sent(body) == {**body, "stream_options": upstream}


def test_a_unary_request_gets_no_stream_options() -> None:
    assert sent({"model": "m", "messages": MESSAGES}) == {"model": "m", "messages": MESSAGES}


OUT_OF_BOUNDS: dict[str, list[object]] = {
    "max_tokens": [-1, 0, 10**9, "10", True, 1.5],
    "max_completion_tokens": [-1, 0, 10**9, "10", True, 1.5],
    "n": [0, 10**6, "2", False],
    "temperature": [-0.1, 2.1, 1e308, "1", float("nan"), 10**400],
    "top_p": [-1, 2, []],
    "top_logprobs": [-1, 21, 1.0],
    "logprobs": [5],
    "stop": [["x"] * 10_000, 5, True, 1.5, {}, {"a": "b"}, ["a", 5], [None], [["a"]]],
    "stream": ["true"],
    "stream_options": [[]],
    "model": ["", 7],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in OUT_OF_BOUNDS.items() for value in values]
)
def test_h24_a_parameter_out_of_its_bounds_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(Refusal) as caught:
        OPENAI_CHAT.decode_request({"messages": MESSAGES, field: value})
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, "invalid_parameter", field)


@pytest.mark.parametrize(
    "messages", [None, [], {}, "x", [1], [{}], [{"role": 1}], [{"role": "user", "content": 1}], [*MESSAGES, None]]
)
def test_messages_that_are_none_are_refused(messages: object) -> None:
    with pytest.raises(Refusal) as caught:
        OPENAI_CHAT.decode_request({"messages": messages})
    assert str(caught.value.param).startswith("messages")


@given(JSON)
def test_any_json_is_a_request_or_refused(body: JsonValue) -> None:
    with pytest.raises(Refusal):
        OPENAI_CHAT.decode_request(body)


def test_h32_a_model_name_of_ten_kilobytes_is_not_found() -> None:
    with pytest.raises(Refusal) as caught:
        OPENAI_CHAT.decode_request({"model": "m" * 10_000, "messages": MESSAGES})
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"x": "secret"},
        {"secret": 1},
        {"metadata": {"id": {"a": "secret"}}},
        {"verbosity": {"a": "secret"}},
        {"verbosity": "secret"},
        {"modalities": ["text", "secret"]},
        {"safety_identifier": "secret"},
        {"prompt_cache_key": "secret"},
        {"tools": [{"function": {"parameters": {"properties": {"id": {"description": "secret"}}}}}]},
        {"$key": {"temperature": "secret"}},
        {"messages": [{"role": "user", "id": ["secret"]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "secret"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "x", "text": {"a": "secret"}}]}]},
        {"messages": [{"role": "user", "content": ["secret"]}]},
        {"messages": [{"role": "user", "name": "secret"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": "secret"}}]}]},
        {"messages": [{"role": "assistant", "refusal": ["secret"]}]},
    ],
)
def test_h46_every_string_of_a_request_is_a_slot_that_can_be_replaced(body: JsonObject) -> None:
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": MESSAGES, **body})
    found = {slot.path: "***" for slot in request.texts() if slot.text == "secret"}
    assert len(found) == 1
    assert b"secret" not in OPENAI_CHAT.encode_request(request.with_texts(found), "m")


@pytest.mark.parametrize("member", ["tool_calls", "function_call"])
def test_arguments_that_are_an_object_are_read_as_one_text(member: str) -> None:
    function = {"name": "f", "arguments": {"id": "a", "n": 1}}
    said = {member: [{"id": "c", "function": function}] if member == "tool_calls" else function}
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "assistant", **said}]})
    (slot,) = [slot for slot in request.texts() if slot.kind == "tool_arguments"]
    assert (slot.text, slot.role) == ('{"id":"a","n":1}', "assistant")
    assert [slot.text for slot in request.texts() if slot.kind != "tool_arguments"] == ["f"]
    sent = msgspec.json.decode(OPENAI_CHAT.encode_request(request.with_texts({slot.path: '{"id":"*"}'}), "m"))
    call = sent["messages"][0][member]
    assert (call[0]["function"] if member == "tool_calls" else call) == {"name": "f", "arguments": {"id": "*"}}


def test_binary_parts_and_identifiers_are_no_slots() -> None:
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    file = {"type": "file", "file": {"file_data": "BBBB"}}
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": [part, file]}]})
    assert request.texts() == ()


def test_an_option_of_the_formats_own_words_is_no_slot() -> None:
    options: JsonObject = {
        "verbosity": "low",
        "reasoning_effort": "xhigh",
        "service_tier": "flex",
        "modalities": ["text", "audio"],
    }
    options |= {"prompt_cache_retention": "24h", "parallel_tool_calls": False}
    assert OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user"}], **options}).texts() == ()


PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize("kind", ["image_url", "video_url"])
def test_the_body_of_a_data_uri_in_the_place_of_an_image_is_no_slot(kind: str) -> None:
    """Any other address there is one, and so is such a URI in a part that does not say what it is."""
    plain = "data:image/svg+xml,<svg/>"
    parts = [{"type": kind, kind: {"url": url}} for url in (PICTURE, "https://acme.test/x.png", plain)]
    parts += [{"type": kind, kind: PICTURE}, {kind: {"url": PICTURE}}, {"type": "text", "text": PICTURE}]
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": parts}]})
    told = [slot.text for slot in request.texts() if slot.kind != "key"]
    assert told == ["https://acme.test/x.png", plain, PICTURE, PICTURE]
    assert request.unreadable


def test_an_image_that_a_model_made_is_no_slot() -> None:
    images = [{"type": "image_url", "image_url": {"url": PICTURE}}]
    message = {"role": "assistant", "content": "here", "images": images}
    body = completion("", choices=[{"index": 0, "message": message, "finish_reason": "stop"}])
    answer = OPENAI_CHAT.decode_answer(json.dumps(body).encode())
    chunks = OPENAI_CHAT.stream_decoder().decode(json.dumps(delta(images=images)).encode())
    slots = [*answer.texts(), *(slot for event in chunks if isinstance(event, Opaque) for slot in event.slots)]
    assert PICTURE not in [slot.text for slot in slots]
    assert answer.unreadable
    assert any(event.unreadable for event in chunks if isinstance(event, Opaque))
