"""Streams out: untouched chunks leave as they came, changed ones are patched, usage only for those who asked."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, TextDelta, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject
from sentinel_core.usage import Usage
from tests.core.dialects.chat_chunks import USAGE, choice, chunk, decode, encode, payloads

CALLS = [
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":'}},
    {"index": 1, "id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{"}},
]
RICH = chunk(
    choice({"role": "assistant", "content": "Hi", "tool_calls": CALLS, "x_delta": "u"}, "stop", x_choice=[1]),
    choice({"content": "Ho"}, index=1),
    x_top={"k": "v"},
    usage=USAGE,
)
TEXT = st.text(max_size=4)
UNKNOWN = st.dictionaries(
    st.text(min_size=1, max_size=4).map("x_".__add__), st.integers() | TEXT | st.lists(TEXT, max_size=2), max_size=2
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": TEXT | st.none(),
        "reasoning_content": TEXT,
        "reasoning": TEXT,
        "refusal": TEXT | st.none(),
        "tool_calls": st.lists(st.sampled_from(CALLS), max_size=2) | st.none(),
        "function_call": st.just({"name": "f", "arguments": "{}"}),
    },
)


@st.composite
def chunks(draw: st.DrawFn) -> bytes:
    choices = []
    for index in range(draw(st.integers(0, 2))):
        delta = {**draw(DELTAS), **draw(UNKNOWN)}
        choices.append(choice(delta, draw(st.sampled_from([None, "stop"])), index, **draw(UNKNOWN)))
    usage: JsonObject = draw(st.sampled_from([{}, {"usage": None}, {"usage": USAGE}]))
    return chunk(*choices, **draw(UNKNOWN), **usage)


@given(st.lists(chunks(), max_size=4))
def test_untouched_chunks_leave_byte_for_byte_and_once(stream: list[bytes]) -> None:
    assert payloads(decode(*stream)) == stream


@given(st.lists(chunks(), max_size=4))
def test_without_include_usage_a_client_gets_everything_but_usage(stream: list[bytes]) -> None:
    expected = []
    for body in map(msgspec.json.decode, stream):
        usage = body.pop("usage", None)
        if body["choices"] or usage is None:
            expected.append(body)
    assert repr(encode(decode(*stream), asked=False)) == repr(expected)


@given(chunks(), st.data())
def test_whatever_a_stage_keeps_of_a_chunk_no_event_leaves_twice(payload: bytes, data: st.DataObject) -> None:
    events = decode(payload)
    kept = data.draw(st.permutations(events))
    kept = kept[: data.draw(st.integers(0, len(kept)))]
    sent = encode(kept)
    texts = [
        event
        for body in sent
        for event in decode(msgspec.json.encode(body))
        if isinstance(event, TextEvent) and event.text
    ]
    assert sorted((event.lane, event.text) for event in texts) == sorted(
        (event.lane, event.text) for event in kept if isinstance(event, TextEvent) and event.text
    )


@given(chunks(), TEXT)
def test_a_changed_text_is_patched_and_nothing_else_moves(payload: bytes, text: str) -> None:
    events = decode(payload)
    for number, event in enumerate(events):
        if isinstance(event, TextEvent) and event.text != text:
            sent = encode([*events[:number], event.with_text(text), *events[number + 1 :]])
            before, (after,) = msgspec.json.decode(payload), sent
            assert list(after) == list(before)
            assert [item for item in after.items() if item[0] != "choices"] == [
                item for item in before.items() if item[0] != "choices"
            ]
            changed = [(a, b) for a, b in zip(before["choices"], after["choices"], strict=True) if a != b]
            assert len(changed) == 1


def test_a_chunk_of_everything_leaves_whole() -> None:
    assert payloads(decode(RICH)) == [RICH]


def test_one_changed_slot_of_many_is_patched() -> None:
    events = [e.with_text("***") if isinstance(e, TextDelta) and e.choice == 1 else e for e in decode(RICH)]
    expected = msgspec.json.decode(RICH)
    expected["choices"][1]["delta"]["content"] = "***"
    assert encode(events) == [expected]


def test_a_dropped_tool_call_leaves_the_others() -> None:
    events = [e for e in decode(RICH) if not (isinstance(e, ToolCallDelta) and e.index == 0)]
    (sent,) = encode(events)
    assert [call["id"] for call in sent["choices"][0]["delta"]["tool_calls"]] == ["call_2"]


def test_a_held_finish_leaves_later_and_once() -> None:
    events = decode(chunk(choice({"content": "a"}, "stop")), chunk(choice({}, None), x="y"))
    text, finish, opaque = events
    first, second, third = encode([text, opaque, finish])
    assert (first["choices"][0]["delta"], first["choices"][0]["finish_reason"]) == ({"content": "a"}, None)
    assert second["x"] == "y"
    assert (third["choices"][0]["delta"], third["choices"][0]["finish_reason"]) == ({"content": ""}, "stop")


def test_a_duplicated_event_leaves_twice_and_its_neighbours_once() -> None:
    text, finish = decode(chunk(choice({"content": "a"}, "stop")))
    sent = encode([text, text, finish])
    assert "".join(body["choices"][0]["delta"]["content"] for body in sent) == "aa"
    assert [body["choices"][0]["finish_reason"] for body in sent if body["choices"][0]["finish_reason"]] == ["stop"]


def test_a_stages_own_events_become_chunks_of_the_same_stream() -> None:
    (text,) = decode(chunk(choice({"content": "a"})))
    call = ToolCallDelta(choice=1, text="{}", index=0, id="call_9", name="f")
    sent = encode([text, TextDelta(text="b"), call, Finish(reason="stop"), UsageReport(usage=Usage(1, 2, 3)), Opaque()])
    assert [body["id"] for body in sent] == ["c-1"] * 5
    assert sent[1]["choices"] == [{"index": 0, "delta": {"content": "b"}, "finish_reason": None}]
    assert sent[2]["choices"][0]["delta"]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
    assert sent[4]["usage"]["total_tokens"] == 3
    assert len(encode([UsageReport(usage=Usage(1, 2, 3))], asked=False)) == 0


@pytest.mark.parametrize("created", [0, 7])
def test_a_stages_own_chunk_says_what_all_chunks_of_its_stream_say(created: int) -> None:
    said = {"created": created, "system_fingerprint": "fp_1"}
    sent = encode(
        [*decode(chunk(choice({"content": "a"}), **said)), TextDelta(text="b"), UsageReport(usage=Usage(1, 2, 3))]
    )
    assert [(one["created"], one["system_fingerprint"]) for one in sent] == [(created, "fp_1")] * 3


@pytest.mark.parametrize("said", [{"created": "a secret"}, {"system_fingerprint": {"x": "a secret"}}])
def test_a_stages_own_chunk_repeats_nothing_that_may_be_text(said: JsonObject) -> None:
    *_, made = payloads([*decode(chunk(choice({"content": "a"}), **said)), TextDelta(text="b")])
    assert b"a secret" not in made


def test_logprobs_leave_with_the_text_they_spell_and_not_with_another() -> None:
    logprobs = {"content": [{"token": "secret", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    text, opaque = decode(chunk(choice({"content": "secret"}, logprobs=logprobs)))
    assert isinstance(text, TextDelta)
    assert b"secret" not in b"".join(payloads([text.with_text("***"), opaque]))


def test_an_opaque_string_is_patched_or_emptied() -> None:
    (opaque,) = decode(chunk(choice({}), x={"a": "secret"}))
    assert isinstance(opaque, Opaque)
    path = next(slot.path for slot in opaque.texts() if slot.text == "secret")
    assert encode([opaque.with_texts({path: "***"})])[0]["x"] == {"a": "***"}
    with pytest.raises(KeyError):
        opaque.with_texts({("nowhere",): "x"})


def test_a_changed_usage_report_is_patched_into_its_chunk() -> None:
    opaque, report = decode(chunk(usage={**USAGE, "x": 1}))
    assert isinstance(report, UsageReport)
    changed = msgspec.structs.replace(report, usage=Usage(1, 1, 2), changed=True)
    assert encode([opaque, changed])[0]["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
        "x": 1,
    }


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b'{"choices":[],"usage":null}', b'{"choices":[]}'),
        (b'{"usage" : null, "choices":[]}', b'{"choices":[]}'),
        (b'{"choices":[],"usage":null,"x":"\\"usage\\":null"}', b'{"choices":[],"x":"\\"usage\\":null"}'),
        (b'{"choices":[],"x":{"usage":null},"usage":null}', b'{"choices":[],"x":{"usage":null}}'),
        (b'{"choices":[],\r\n"usage":null}', b'{"choices":[]}'),
    ],
)
def test_a_null_usage_that_nobody_asked_for_is_taken_out(sent: bytes, expected: bytes) -> None:
    (left,) = payloads(decode(sent), asked=False)
    assert left.replace(b" ", b"") == expected


def test_u10_a_payload_of_several_lines_leaves_as_one() -> None:
    assert encode(decode(b'{"choices":\n[],\r"x": 1}')) == [{"choices": [], "x": 1}]


def test_h38_line_ends_inside_text_stay_inside_their_string() -> None:
    event = TextDelta(text="\n\ndata: [DONE]\n\n\r\u2028")
    assert encode([event])[0]["choices"][0]["delta"]["content"] == event.text


def test_function_call_passes_and_is_patched() -> None:
    payload = chunk(choice({"function_call": {"name": "f", "arguments": "secret"}}))
    events = decode(payload)
    assert payloads(events) == [payload]
    changed: list[Event] = [e.with_text("{}") if isinstance(e, TextEvent) else e for e in events]
    assert encode(changed)[0]["choices"][0]["delta"]["function_call"] == {"name": "f", "arguments": "{}"}


def test_a_broken_stream_ends_in_an_error_without_an_end_marker() -> None:
    body: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    encoder = OPENAI_CHAT.stream_encoder(OPENAI_CHAT.decode_request(body))
    text, _ = decode(chunk(choice({"content": "a"}, "stop")))
    assert encoder.encode(text) == b""
    wire = encoder.fail(UpstreamError("upstream_stream_interrupted"))
    assert b'"content":"a"' in wire
    assert wire.count(b'data: {"error":') == 1
    assert b"[DONE]" not in wire
    assert b'"stop"' not in wire
