"""Responses: every string is read once, snapshots repeat what the client was given, faults are told from ends."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event, Finish, Opaque, TextDelta, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer, Request
from sentinel_core.usage import Usage
from tests.json_values import json_values

TEXT = st.text(max_size=5)
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 5,
}
TOP = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "error": None, "instructions": None}


def part(text: str, kind: str = "output_text") -> JsonObject:
    extra: JsonObject = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
    return {"type": kind, "refusal" if kind == "refusal" else "text": text, **extra}


def message(*parts: JsonObject) -> JsonObject:
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": list(parts)}


def call(arguments: str) -> JsonObject:
    return {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": arguments}


def reasoning(summary: str, content: str) -> JsonObject:
    parts = {"summary": [part(summary, "summary_text")], "content": [part(content, "reasoning_text")]}
    return {"type": "reasoning", "id": "rs_1", "encrypted_content": "b64", **parts}


def response(*items: JsonObject, **fields: JsonValue) -> JsonObject:
    return {**TOP, "status": "completed", "output": list(items), "usage": USAGE, **fields}


def answer(*items: JsonObject, **fields: JsonValue) -> Answer:
    return OPENAI_RESPONSES.decode_answer(msgspec.json.encode(response(*items, **fields)))


ITEMS = st.one_of(
    st.lists(st.builds(part, TEXT, st.sampled_from(["output_text", "refusal"])), max_size=2).map(lambda p: message(*p)),
    st.builds(call, TEXT),
    st.builds(reasoning, TEXT, TEXT),
    st.builds(lambda text: {"type": "custom_tool_call", "id": "ct_1", "name": "f", "input": text}, TEXT),
    st.builds(lambda text: {"type": "code_interpreter_call", "id": "ci_1", "code": text}, TEXT),
    st.builds(lambda text: {"type": "web_search_call", "id": "ws_1", "x_query": text}, TEXT),
)
ANSWERS = st.lists(ITEMS, max_size=4).map(lambda items: answer(*items, x_top="y"))


def request(**fields: JsonValue) -> Request:
    return OPENAI_RESPONSES.decode_request({"model": "m", "input": "x", **fields})


def written(events: Iterable[Event]) -> list[JsonObject]:
    """What a client reads; each event's name is its type."""
    encoder = OPENAI_RESPONSES.stream_encoder(request(stream=True))
    wire = b"".join(encoder.encode(event) for event in events) + encoder.finish()
    found = []
    for frame in wire.split(b"\n\n")[:-1]:
        name, payload = frame.split(b"\ndata: ")
        found.append(msgspec.json.decode(payload))
        assert name == b"event: " + found[-1]["type"].encode()
    return found


def decoded(frames: Iterable[JsonObject]) -> list[Event]:
    decoder = OPENAI_RESPONSES.stream_decoder()
    return [event for frame in frames for event in decoder.decode(msgspec.json.encode(frame), frame["type"])]


def stream(*fragments: str) -> list[JsonObject]:
    """One message, streamed as OpenAI does."""
    text = "".join(fragments)
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    frames: list[JsonObject] = [
        {"type": "response.created", "response": response(status="in_progress", usage=None)},
        {"type": "response.output_item.added", "output_index": 0, "item": message()},
        {"type": "response.content_part.added", **at, "part": part("")},
        *({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in fragments),
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part(text)},
        {"type": "response.output_item.done", "output_index": 0, "item": message(part(text))},
        {"type": "response.completed", "response": response(message(part(text)))},
    ]
    return [{**frame, "sequence_number": number} for number, frame in enumerate(frames)]


def ends(*frames: JsonObject) -> str:
    decoder = OPENAI_RESPONSES.stream_decoder()
    try:
        for frame in frames:
            decoder.decode(msgspec.json.encode(frame), frame.get("type", ""))
        decoder.end()
    except UpstreamError as error:
        return error.code
    return ""


def test_a_request_reaches_the_upstream_as_it_is_but_for_the_model() -> None:
    body = {"input": [{"role": "user", "content": "x"}], "model": "a", "stream": True, "x": {"deep": [1]}}
    sent = msgspec.json.decode(OPENAI_RESPONSES.encode_request(OPENAI_RESPONSES.decode_request(body), "b"))
    assert list(sent.items()) == list({**body, "model": "b"}.items())


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("input", 1, "invalid_parameter"),
        ("max_output_tokens", 0, "invalid_parameter"),
        ("background", True, "unsupported_parameter"),
        ("api_base", "x", "unsupported_parameter"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_refused_by_name(name: str, value: JsonValue, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        request(**{name: value})
    assert (caught.value.code, caught.value.param) == (code, name)


def test_guards_read_instructions_and_every_kind_of_item() -> None:
    items = [
        {"role": "user", "content": "a"},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "b"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "c"},
        {"type": "function_call_output", "call_id": "c1", "output": "d"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "e"}], "encrypted_content": "b64"},
        "bare",
    ]
    slots = request(input=items, instructions="i", metadata={"k": "v"}).texts()
    assert [(slot.text, slot.role, slot.kind) for slot in slots] == [
        ("i", "system", "content"),
        ("a", "user", "content"),
        ("b", "developer", "content"),
        ("f", "assistant", "other"),
        ("c", "assistant", "tool_arguments"),
        ("d", "tool", "content"),
        ("e", "assistant", "content"),
        ("bare", "user", "content"),
        ("k", None, "key"),
        ("v", None, "other"),
    ]


def test_identifiers_that_callers_choose_are_texts_and_options_are_words() -> None:
    words = {"service_tier": "flex", "truncation": "auto", "prompt_cache_retention": "24h"}
    assert request(input="hi", **words).texts() == request(input="hi").texts()
    chosen = ("safety_identifier", "prompt_cache_key", *words)
    slots = request(input="hi", **dict.fromkeys(chosen, "bob@acme.com")).texts()
    assert [slot.path for slot in slots if slot.text == "bob@acme.com"] == [(name,) for name in chosen]


def test_guards_do_not_read_the_body_of_a_data_uri_in_the_place_of_an_image() -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    images = [{"type": "input_image", "image_url": url} for url in (picture, "https://acme.test/x.png")]
    images.append({"type": "input_file", "file_data": picture})
    items = [
        {"role": "user", "content": [*images, {"type": "input_text", "text": picture}]},
        {"type": "function_call_output", "call_id": "c1", "output": images},
        {"type": "computer_call_output", "call_id": "c2", "output": {**images[0], "type": "computer_screenshot"}},
        {"role": "user", "content": [{"type": "input_text", "text": "x", "image_url": picture}]},
    ]
    told = [slot.text for slot in request(input=items).texts() if slot.kind != "key"]
    assert told == ["https://acme.test/x.png", picture, "https://acme.test/x.png", "x", picture]
    assert request(input=items[:1]).unreadable


@given(ANSWERS)
def test_an_answer_leaves_as_it_came_and_survives_its_own_events(given_answer: Answer) -> None:
    assert OPENAI_RESPONSES.encode_answer(given_answer) == given_answer.raw
    assert OPENAI_RESPONSES.recompose(given_answer, OPENAI_RESPONSES.decompose(given_answer)) == given_answer
    assert given_answer.usage == Usage(3, 2, 5, 1, 1)


@given(ANSWERS)
def test_every_slot_can_be_replaced_with_itself(given_answer: Answer) -> None:
    same = given_answer.with_texts({slot.path: slot.text for slot in given_answer.texts()})
    assert repr(same.body) == repr(given_answer.body)


@given(ANSWERS)
def test_u15_framed_as_a_stream_an_answer_says_the_same(given_answer: Answer) -> None:
    events = OPENAI_RESPONSES.stream_frames(given_answer)
    sent = written(events)
    assert sent[-1]["response"] == given_answer.body
    assert ends(*sent) == ""
    texts = [event.text for event in OPENAI_RESPONSES.decompose(given_answer) if isinstance(event, TextEvent)]
    again = OPENAI_RESPONSES.assemble(events)
    assert [event.text for event in OPENAI_RESPONSES.decompose(again) if isinstance(event, TextEvent)] == texts
    assert again.usage == given_answer.usage


def test_logprobs_beside_a_changed_text_are_emptied() -> None:
    spelt = {**part("secret"), "logprobs": [{"token": "sec"}]}
    changed = answer(message(spelt)).with_texts({("output", 0, "content", 0, "text"): "***"})
    assert changed.body["output"][0]["content"][0] == {**part("***")}


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=4))
def test_untouched_events_leave_byte_for_byte(fragments: list[str]) -> None:
    encoder = OPENAI_RESPONSES.stream_encoder(request(stream=True))
    frames = stream(*fragments)
    sent = b"".join(encoder.encode(event) for event in decoded(frames)) + encoder.finish()
    expected = b"".join(
        b"event: " + frame["type"].encode() + b"\ndata: " + msgspec.json.encode(frame) + b"\n\n" for frame in frames
    )
    assert sent == expected


@given(st.lists(st.text(alphabet="abs", min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_text_is_read_once_and_its_copies_follow_what_a_guard_made_of_it(fragments: list[str]) -> None:
    events = decoded(stream(*fragments))
    assert not any(slot.text == "".join(fragments) for e in events if isinstance(e, Opaque) for slot in e.slots)
    masked = [e.with_text(e.text.replace("s", "*")) if isinstance(e, TextEvent) else e for e in events]
    expected = "".join(fragments).replace("s", "*")
    sent = written(masked)
    assert "".join(frame["delta"] for frame in sent if "delta" in frame) == expected
    assert [frame["text"] for frame in sent if frame["type"] == "response.output_text.done"] == [expected]
    assert [frame["part"]["text"] for frame in sent if frame["type"] == "response.content_part.done"] == [expected]
    assert sent[-2]["item"]["content"][0]["text"] == sent[-1]["response"]["output"][0]["content"][0]["text"] == expected


@given(
    st.lists(st.text(alphabet="ab", min_size=1, max_size=4), min_size=1, max_size=4), st.integers(0, 4), st.booleans()
)
def test_text_that_a_stage_holds_until_the_end_comes_before_what_repeats_it(
    fragments: list[str], passed: int, emptied: bool
) -> None:
    out: list[Event] = []
    held: list[str] = []
    for event in decoded(stream(*fragments)):
        if isinstance(event, TextEvent) and len(held) < max(0, len(fragments) - passed):
            held.append(event.text)
            out += [event.with_text("")] if emptied else []
        elif isinstance(event, Finish):
            out += [TextDelta(choice=event.choice, text="".join(held)), event]
        else:
            out.append(event)
    sent = written(out)
    kinds = [frame["type"] for frame in sent]
    said = "".join(frame["delta"] for frame in sent if "delta" in frame)
    assert sorted(said) == sorted("".join(fragments))
    assert sent[-1]["response"]["output"][0]["content"][0]["text"] == said
    assert "response.output_text.delta" not in kinds[kinds.index("response.output_text.done") :]
    numbers = [frame["sequence_number"] for frame in sent]
    assert numbers == sorted(set(numbers))


def _without_numbers(frames: Iterable[JsonObject]) -> list[JsonObject]:
    """As llama.cpp sends them: items are told apart by their ids."""
    return [{name: value for name, value in frame.items() if name != "output_index"} for frame in frames]


@given(ANSWERS)
def test_items_without_numbers_are_told_apart_by_their_ids(given_answer: Answer) -> None:
    items = [{**item, "id": f"i_{number}"} for number, item in enumerate(given_answer.body["output"])]
    frames = written(OPENAI_RESPONSES.stream_frames(answer(*items)))
    numbered, bare = decoded(frames), decoded(_without_numbers(frames))

    def said(events: Iterable[Event]) -> list[object]:
        return [
            (event.choice, event.text, *([event.id, event.name] if isinstance(event, ToolCallDelta) else ()))
            for event in events
            if isinstance(event, TextEvent)
        ]

    assert said(bare) == said(numbered)
    masked = [event.with_text("*" * len(event.text)) if isinstance(event, TextEvent) else event for event in numbered]
    hidden = [event.with_text("*" * len(event.text)) if isinstance(event, TextEvent) else event for event in bare]
    assert written(hidden) == _without_numbers(written(masked))


def test_calls_without_numbers_that_are_interleaved_stay_apart() -> None:
    calls = [{**call(""), "id": f"fc_{n}", "call_id": f"call_{n}", "name": f"f{n}"} for n in range(2)]
    whole = [{**calls[0], "arguments": '{"to":"a@b.com"}'}, {**calls[1], "arguments": '{"x":2}'}]
    family = "response.function_call_arguments"
    events = decoded(
        [
            *({"type": "response.output_item.added", "item": item} for item in calls),
            {"type": f"{family}.delta", "item_id": "fc_0", "delta": '{"to":"a@b.c'},
            {"type": f"{family}.delta", "item_id": "fc_1", "delta": '{"x":2}'},
            {"type": f"{family}.delta", "item_id": "fc_0", "delta": 'om"}'},
            *({"type": f"{family}.done", "item_id": item["id"], "arguments": item["arguments"]} for item in whole),
            *({"type": "response.output_item.done", "item": item} for item in whole),
            {"type": "response.completed", "response": response(*whole)},
        ]
    )
    made = OPENAI_RESPONSES.assemble(events).body["output"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in made] == [
        (item["call_id"], item["name"], item["arguments"]) for item in whole
    ]
    ends_ = [event.choice for event in events if isinstance(event, Finish)]
    assert ends_ == [0, 1]
    slots = [slot.text for event in events if isinstance(event, Opaque) for slot in event.slots]
    assert not {item["arguments"] for item in whole} & {*slots}


@pytest.mark.parametrize("at", [{}, {"output_index": 0, "content_index": 0}], ids=["no number", "the same number"])
def test_another_message_behind_the_end_of_one_is_a_text_of_its_own(at: JsonObject) -> None:
    frames: list[JsonObject] = []
    for item_id, text in (("m1", "a"), ("m2", "b")):
        frames.append({"type": "response.output_text.delta", "item_id": item_id, **at, "delta": text})
        frames.append({"type": "response.output_text.done", "item_id": item_id, **at, "text": text})
    last = {
        "type": "response.completed",
        "response": response(*({**message(part(t)), "id": i} for i, t in (("m1", "a"), ("m2", "b")))),
    }
    events = decoded([*frames, last])
    assert [(event.choice, event.text) for event in events if isinstance(event, TextEvent)] == [(0, "a"), (1, "b")]
    assert [event.choice for event in events if isinstance(event, Finish)] == [0, 1]
    masked = written(event.with_text("*") if isinstance(event, TextEvent) else event for event in events)
    assert [frame["text"] for frame in masked if "text" in frame] == ["*", "*"]
    assert [item["content"][0]["text"] for item in masked[-1]["response"]["output"]] == ["*", "*"]
    again = {**frames[0], "item_id": "m2"}
    assert ends(*frames, again) == "upstream_invalid_response"


@given(ANSWERS)
def test_every_kind_of_text_is_masked_wherever_a_stream_says_it(given_answer: Answer) -> None:
    events = OPENAI_RESPONSES.stream_frames(given_answer)
    texts = [event for event in events if isinstance(event, TextEvent) and event.text]
    masked = [event.with_text("*" * len(event.text)) if isinstance(event, TextEvent) else event for event in events]
    sent = written(masked)
    last = OPENAI_RESPONSES.decode_answer(msgspec.json.encode(sent[-1]["response"]))
    after = [event.text for event in OPENAI_RESPONSES.decompose(last) if isinstance(event, TextEvent) and event.text]
    assert after == ["*" * len(event.text) for event in texts]
    assert all(set(frame["delta"]) <= {"*"} for frame in sent if "delta" in frame)


def test_a_text_that_only_a_snapshot_says_is_read_there() -> None:
    frames = [{"type": "response.output_item.done", "output_index": 0, "item": message(part("secret"))}]
    (event,) = decoded(frames)
    assert isinstance(event, Opaque)
    (slot,) = [slot for slot in event.texts() if slot.text == "secret"]
    (sent,) = written([event.with_texts({slot.path: "***"})])
    assert sent["item"]["content"][0]["text"] == "***"


def test_a_delta_of_which_a_stage_keeps_the_rest_or_the_text() -> None:
    frame = {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0}
    events = decoded([{**frame, "delta": "secret", "logprobs": [{"token": "sec"}]}])
    text, rest = events
    assert isinstance(text, TextDelta)
    assert isinstance(rest, Opaque)
    assert written([text]) == [{**frame, "delta": "secret"}]
    assert written([rest]) == [{**frame, "delta": "", "logprobs": []}]
    assert written([text.with_text("***"), rest]) == [{**frame, "delta": "***", "logprobs": []}]
    assert written([text, text.with_text("b")])[1]["delta"] == "b"


def test_what_says_nothing_opens_and_what_repeats_a_text_does_not() -> None:
    encoder, decoder = OPENAI_RESPONSES.stream_encoder(request(stream=True)), OPENAI_RESPONSES.stream_decoder()
    frames = stream("a")
    opens = [frames[0], {"type": "keepalive", "sequence_number": 1}, *frames[1:3]]
    says = [{"type": "response.new", "x_said": "b"}, *frames[3:]]
    for wanted, sent in ((True, opens), (False, says)):
        for frame in sent:
            for event in decoder.decode(msgspec.json.encode(frame), frame["type"]):
                assert encoder.opens(event) is wanted
                assert decoder.bears_content(event) is not (wanted or isinstance(event, UsageReport))


def test_u09_a_stream_is_complete_only_after_the_event_that_says_so() -> None:
    frames = stream("a")
    assert ends(*frames[:-1]) == "upstream_stream_interrupted"
    assert ends(*frames) == ""
    cut = {"type": "response.incomplete", "response": response(incomplete_details={"reason": "content_filter"})}
    assert ends(*frames[:4], cut) == ""
    reasons = [event.reason for event in decoded([*frames[:4], cut]) if isinstance(event, Finish)]
    assert reasons == ["content_filter"]


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None},
        {"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded", "message": "slow down"}}},
        {"error": {"code": "rate_limit_exceeded", "message": "slow down"}},
    ],
)
def test_u13_an_error_in_a_stream_is_raised(frame: JsonObject) -> None:
    assert ends(stream("a")[0], frame) == "rate_limit_exceeded"


@pytest.mark.parametrize("code", ["context_length_exceeded", "invalid_prompt", "image_too_large"])
def test_u13_a_response_that_fails_by_its_request_is_the_callers_fault(code: str) -> None:
    frame = {"type": "response.failed", "response": {"error": {"code": code, "message": "m"}}}
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.stream_decoder().decode(msgspec.json.encode(frame))
    assert (caught.value.status, caught.value.wire_code, caught.value.should_retry) == (400, code, False)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"output":{}}', b'{"output":[1]}', b"<p>", b'{"output":[],"status":"failed"}']
)
def test_u12_what_is_no_response_is_an_invalid_response(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.decode_answer(raw)
    assert caught.value.code == "upstream_invalid_response"


def test_u11_text_behind_its_end_is_an_invalid_response() -> None:
    frames = stream("a")
    done = next(number for number, frame in enumerate(frames) if frame["type"] == "response.output_text.done")
    late = next(frame for frame in frames if frame["type"] == "response.output_text.delta")
    assert ends(*frames) == ""
    assert ends(*frames[: done + 1], late, *frames[done + 1 :]) == "upstream_invalid_response"


@pytest.mark.parametrize("payload", [b"<html>", b"[]", b"1", b"[" * 100])
def test_u11_a_payload_that_is_none_is_an_invalid_response(payload: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        OPENAI_RESPONSES.stream_decoder().decode(payload)
    assert caught.value.code == "upstream_invalid_response"


WILD = json_values(
    st.none() | st.booleans() | st.integers() | TEXT | st.sampled_from(["output_text", "summary_text", "message"]),
    st.sampled_from(["type", "text", "content", "summary", "output", "reason"]),
    width=3,
)
MEMBERS = ("response", "item", "part", "delta", "text", "output_index", "content_index", "summary_index")
HOSTILE = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted({frame["type"] for frame in stream("a")} | {"response.incomplete"})) | WILD},
    optional=dict.fromkeys(MEMBERS, WILD),
)


@given(st.lists(HOSTILE, max_size=4))
def test_u11_whatever_an_upstream_sends_is_events_or_an_upstream_error(frames: list[JsonObject]) -> None:
    decoder = OPENAI_RESPONSES.stream_decoder()
    encoder = OPENAI_RESPONSES.stream_encoder(request(stream=True))
    events: list[Event] = []
    try:
        for frame in frames:
            events += decoder.decode(msgspec.json.encode(frame))
    except UpstreamError:
        pass
    wire = b"".join(encoder.encode(event) for event in events) + encoder.finish()
    assert all(line.startswith((b"event: ", b"data: {")) for line in wire.split(b"\n") if line)
    OPENAI_RESPONSES.assemble(events)


def test_an_event_name_cannot_add_lines_to_the_clients_stream() -> None:
    assert ends({"type": "x\n\ndata: forged"}) == "upstream_invalid_response"


def test_the_tier_that_served_a_response_is_in_its_usage() -> None:
    served = Usage(3, 2, 5, 1, 1, service_tier="default")
    assert answer(message(), service_tier="default").usage == served
    last = {"type": "response.completed", "response": response(service_tier="default")}
    assert [event.usage for event in decoded([last]) if isinstance(event, UsageReport)] == [served]


def test_usage_comes_with_the_last_event() -> None:
    assert [event.usage for event in decoded(stream("a")) if isinstance(event, UsageReport)] == [Usage(3, 2, 5, 1, 1)]
