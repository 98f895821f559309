"""Legacy completions: requests and answers as they came, streams whole or patched, faults told from ends."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event, Finish, Opaque, RefusalDelta, TextDelta, TextEvent, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer, Request
from sentinel_core.usage import Usage
from tests.core.dialects.chat_chunks import USAGE

TOP = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
TEXT = st.text(max_size=4)
UNKNOWN = st.dictionaries(TEXT.map("x_".__add__), st.integers() | TEXT | st.lists(TEXT, max_size=2), max_size=2)
LOGPROBS = {"tokens": ["tok"], "token_logprobs": [-0.1], "top_logprobs": [{"tok": -0.1}], "text_offset": [0]}


def choice(text: str | None, index: int = 0, finish: str | None = None, **fields: JsonValue) -> JsonObject:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish, **fields}


def chunk(*choices: JsonObject, **fields: JsonValue) -> bytes:
    return msgspec.json.encode({**TOP, "choices": list(choices), **fields})


def answer(*choices: JsonObject, **fields: JsonValue) -> Answer:
    return OPENAI_COMPLETIONS.decode_answer(chunk(*choices, usage=USAGE, **fields))


def decode(*stream: bytes) -> list[Event]:
    decoder = OPENAI_COMPLETIONS.stream_decoder()
    return [event for payload in stream for event in decoder.decode(payload)]


def request(**fields: JsonValue) -> Request:
    return OPENAI_COMPLETIONS.decode_request({"model": "m", "prompt": "x", **fields})


def payloads(events: Iterable[Event], *, asked: bool = True) -> list[bytes]:
    options = {"stream_options": {"include_usage": True}} if asked else {}
    encoder = OPENAI_COMPLETIONS.stream_encoder(request(stream=True, **options))
    wire = b"".join(encoder.encode(event) for event in events) + encoder.finish()
    *frames, done, rest = wire.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [frame.removeprefix(b"data: ") for frame in frames]


@st.composite
def bodies(draw: st.DrawFn, text: st.SearchStrategy[JsonValue], finish: st.SearchStrategy[JsonValue]) -> bytes:
    choices = [
        choice(draw(text), index, draw(finish), logprobs=draw(st.sampled_from([None, LOGPROBS])), **draw(UNKNOWN))
        for index in range(draw(st.integers(1, 3)))
    ]
    return chunk(*choices, **draw(UNKNOWN), **draw(st.sampled_from([{}, {"usage": USAGE}])))


CHUNKS = bodies(TEXT | st.none(), st.sampled_from([None, "stop"]))
ANSWERS = bodies(TEXT, st.just("stop")).map(OPENAI_COMPLETIONS.decode_answer)


@pytest.mark.parametrize("prompt", ["", "x", ["a", "b"], [1, 2], [[1], [2, 3]]])
def test_s1_03_every_form_of_a_prompt_reaches_the_upstream(prompt: JsonValue) -> None:
    body = {"prompt": prompt, "model": "m", "best_of": 2, "suffix": "end", "x_unknown": {"deep": [1]}}
    sent = OPENAI_COMPLETIONS.encode_request(OPENAI_COMPLETIONS.decode_request(body), "m")
    assert list(msgspec.json.decode(sent).items()) == list(body.items())


@pytest.mark.parametrize("prompt", [None, 1, [], [None], ["a", 1], [[]], [[1], "a"], [True], [["a"]], {}])
def test_a_prompt_of_another_shape_is_refused(prompt: JsonValue) -> None:
    with pytest.raises(Refusal) as caught:
        OPENAI_COMPLETIONS.decode_request({"prompt": prompt})
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", "prompt")


@pytest.mark.parametrize(
    ("name", "value"), [("n", 0), ("best_of", 1000), ("echo", 1), ("logprobs", True), ("stop", 5), ("stop", ["a", 5])]
)
def test_a_parameter_out_of_bounds_is_refused_by_name(name: str, value: JsonValue) -> None:
    with pytest.raises(Refusal) as caught:
        request(**{name: value})
    assert (caught.value.code, caught.value.param) == ("invalid_parameter", name)


def test_h30_fields_that_steer_other_gateways_are_refused_and_ours_are_kept_here() -> None:
    with pytest.raises(Refusal, match="api_base"):
        request(api_base="http://elsewhere")
    assert request(session_id="s").gateway == {"session_id": "s"}
    assert b"session_id" not in OPENAI_COMPLETIONS.encode_request(request(session_id="s"), "m")


def test_s1_07_the_usage_chunk_is_always_asked_for() -> None:
    sent = msgspec.json.decode(OPENAI_COMPLETIONS.encode_request(request(stream=True), "m"))
    assert sent["stream_options"] == {"include_usage": True}


def test_guards_read_every_prompt_and_every_other_string() -> None:
    slots = request(prompt=["a", "b"], suffix="c", user="d", x_key="e", stop=["f"]).texts()
    assert [(slot.text, slot.role, slot.kind) for slot in slots][:3] == [
        ("a", "user", "content"),
        ("b", "user", "content"),
        ("c", "user", "content"),
    ]
    assert {slot.text for slot in slots[3:]} == {"d", "e", "f", "x_key"}
    assert [slot.text for slot in request(prompt="whole").texts()] == ["whole"]


@given(ANSWERS)
def test_an_answer_leaves_as_it_came_and_survives_its_own_events(given_answer: Answer) -> None:
    assert OPENAI_COMPLETIONS.encode_answer(given_answer) == given_answer.raw
    assert OPENAI_COMPLETIONS.recompose(given_answer, OPENAI_COMPLETIONS.decompose(given_answer)) == given_answer


@given(ANSWERS, st.data())
def test_one_changed_event_patches_one_text_and_drops_its_logprobs(given_answer: Answer, data: st.DataObject) -> None:
    events = list(OPENAI_COMPLETIONS.decompose(given_answer))
    chosen = data.draw(st.sampled_from([n for n, event in enumerate(events) if isinstance(event, TextEvent)]))
    event = events[chosen]
    assert isinstance(event, TextEvent)
    events[chosen] = event.with_text(event.text + "\U0001f512")
    after = OPENAI_COMPLETIONS.recompose(given_answer, events)
    old, new = given_answer.body["choices"], after.body["choices"]
    assert [n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [event.choice]
    assert new[event.choice] == {**old[event.choice], "text": event.text + "\U0001f512", "logprobs": None}
    assert after.raw is None


@given(ANSWERS)
def test_u15_framed_as_a_stream_an_answer_says_the_same_and_is_complete(given_answer: Answer) -> None:
    events = OPENAI_COMPLETIONS.stream_frames(given_answer)
    again = OPENAI_COMPLETIONS.assemble(events)
    assert [item["text"] for item in again.body["choices"]] == [item["text"] for item in given_answer.body["choices"]]
    assert (again.operation, again.usage, again.body["object"]) == (
        "completion",
        given_answer.usage,
        "text_completion",
    )
    decoder = OPENAI_COMPLETIONS.stream_decoder()
    for payload in payloads(events):
        decoder.decode(payload)
    decoder.end()


@given(st.lists(CHUNKS, max_size=4))
def test_untouched_chunks_leave_byte_for_byte_and_once(stream: list[bytes]) -> None:
    assert payloads(decode(*stream)) == stream


@given(CHUNKS)
def test_every_string_of_a_chunk_is_in_an_event(payload: bytes) -> None:
    body = msgspec.json.decode(payload)
    seen: list[str] = []
    for event in decode(payload):
        seen += [event.text] if isinstance(event, TextEvent) else []
        seen += [slot.text for slot in event.texts()] if isinstance(event, Opaque) else []
    for item in body["choices"]:
        assert not item["text"] or item["text"] in seen
        assert not item["logprobs"] or seen.count("tok") >= 2  # the token, and the key of its alternatives
    unknown = [(key, value) for holder in (body, *body["choices"]) for key, value in holder.items() if key[:2] == "x_"]
    assert all(key in seen and (not isinstance(value, str) or value in seen) for key, value in unknown)


def test_a_changed_text_is_patched_into_its_chunk() -> None:
    payload = chunk(choice("secret", logprobs=LOGPROBS), choice("b", 1, "stop", x_kept=1), x_top={"k": 1})
    changed = [e.with_text("***") if isinstance(e, TextDelta) and e.choice == 0 else e for e in decode(payload)]
    (sent,) = payloads(changed)
    expected = msgspec.json.decode(payload)
    expected["choices"][0] |= {"text": "***", "logprobs": None}
    assert msgspec.json.decode(sent) == expected


def test_text_that_a_stage_keeps_is_taken_out_of_its_chunk() -> None:
    payload = chunk(choice("secret"), choice("b", 1, "stop"))
    kept = [event for event in decode(payload) if not (isinstance(event, TextDelta) and event.choice == 0)]
    (sent,) = payloads(kept)
    assert [item["text"] for item in msgspec.json.decode(sent)["choices"]] == ["", "b"]


def test_events_of_a_stages_own_are_written_in_this_form() -> None:
    own: list[Event] = [
        TextDelta(text="a"),
        RefusalDelta(text="not here"),
        Finish(reason="length"),
        UsageReport(usage=Usage(1, 2, 3)),
    ]
    sent = [msgspec.json.decode(payload) for payload in payloads(own)]
    assert [body["choices"] for body in sent] == [[choice("a")], [choice("", 0, "length")], []]
    assert {body["object"] for body in sent} == {"text_completion"}
    assert sent[-1]["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_without_include_usage_a_client_gets_everything_but_usage() -> None:
    stream = [chunk(choice("a"), usage=None), chunk(choice("", 0, "stop"), usage=USAGE), chunk(usage=USAGE)]
    assert payloads(decode(*stream), asked=False) == [chunk(choice("a")), chunk(choice("", 0, "stop"))]


def ends(*stream: bytes) -> str:
    decoder = OPENAI_COMPLETIONS.stream_decoder()
    try:
        for payload in stream:
            decoder.decode(payload)
        decoder.end()
    except UpstreamError as error:
        return error.code
    return ""


def test_u09_a_stream_is_complete_only_with_a_finish_reason_for_every_choice() -> None:
    end = choice("", 0, "stop")
    assert ends(chunk(choice("a"))) == "upstream_stream_interrupted"
    assert ends(chunk(choice("a")), b"[DONE]") == "upstream_stream_interrupted"
    assert ends(chunk(choice("a"), choice("b", 1)), chunk(end)) == "upstream_stream_interrupted"
    assert ends(chunk(choice("a")), chunk(end)) == ""


@pytest.mark.parametrize(
    "payload",
    [
        b"<html>",
        b"[]",
        b'{"choices":{}}',
        b'{"choices":[1]}',
        b'{"choices":[{"text":1}]}',
        b'{"choices":[{"index":"0"}]}',
    ],
)
def test_u11_a_chunk_that_is_none_is_an_invalid_response(payload: bytes) -> None:
    assert ends(payload) == "upstream_invalid_response"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{"message":{}}]}', b"<html>"])
def test_u12_what_is_no_completion_is_an_invalid_response(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        OPENAI_COMPLETIONS.decode_answer(raw)
    assert caught.value.code == "upstream_invalid_response"


def test_u13_an_error_in_a_body_or_a_stream_is_raised() -> None:
    payload = b'{"error":{"message":"slow down","code":429}}'
    assert ends(payload) == "rate_limit_exceeded"
    with pytest.raises(UpstreamError, match="slow down"):
        OPENAI_COMPLETIONS.decode_answer(payload)
