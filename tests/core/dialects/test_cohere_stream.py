"""Cohere's streams as events: golden vectors, and the same events however the bytes are cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Frame, Opaque, ReasoningDelta, TextDelta, ToolCallDelta
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream import sse
from tests.upstream.api import COUNTED, Call, Said
from tests.upstream.cohere import COHERE, block, call, citation, cited, ending, event, opening, plan

LOGPROBS = {"text": "aé", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}
SCORED = {"token": "aé", "logprob": -0.75, "bytes": [97, 195, 169], "top_logprobs": []}


def played(wire: Sequence[bytes], cuts: Sequence[int] = ()) -> tuple[list[Event], UpstreamError | None]:
    """The events of a stream that comes cut at these places, and the error that ended it, if one did."""
    decoder, parser = COHERE_CHAT.reader("m").stream_decoder(), SseParser()
    found: list[Event] = []
    try:
        for piece in _pieces(b"".join(wire), cuts):
            for data, name in parser.feed(piece):
                found += decoder.decode(data, name)
        decoder.end()
    except UpstreamError as error:
        return found, error
    return found, None


def _pieces(wire: bytes, cuts: Sequence[int]) -> list[bytes]:
    return [wire[start:end] for start, end in pairwise([0, *cuts, len(wire)])]


def events_of(wire: Sequence[bytes]) -> list[Event]:
    events, error = played(wire)
    assert error is None
    return events


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def shape(events: Sequence[Event]) -> list[object]:
    """What can be compared of events: their frames are made anew for each stream."""
    return [(msgspec.structs.replace(event, frame=None), event.frame and _timeless(event.frame)) for event in events]


def _timeless(frame: Frame) -> JsonObject:
    return {**frame.body, "created": 0}


def test_a_stream_opens_with_one_chunk_and_goes_on_without() -> None:
    first, *rest = events_of([opening(), *block(0, "text", "a", "b"), ending(counted=COUNTED)])
    assert first.frame is not None
    assert _timeless(first.frame) == {
        "id": "chat-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
    }
    assert [type(one).__name__ for one in rest] == ["TextDelta", "TextDelta", "Finish", "UsageReport"]
    assert all(one.frame is None for one in rest)


def test_a_stream_that_forgets_to_open_is_opened() -> None:
    first, second, _ = events_of([event("content-delta", {"content": {"text": "a"}}), ending()])
    assert first.frame is not None
    assert (first.frame.body["id"], second) == ("chat_gateway", TextDelta(text="a"))


def test_an_event_may_bear_a_thought_and_a_text() -> None:
    both = event("content-delta", {"content": {"thinking": "hm", "text": "a"}}, index=0)
    wire = [opening(), *block(0, "thinking", "so"), both, ending()]
    assert events_of(wire)[-3:-1] == [ReasoningDelta(text="hm"), TextDelta(text="a")]


def test_the_index_of_an_event_is_no_choice() -> None:
    calls = [*call(0, "c1", "w", "{}"), *call(1, "c2", "now", "{}")]
    events = events_of([opening(), *block(3, "thinking", "hm"), *block(4, "text", "a"), *calls, ending("TOOL_CALL")])
    assert {one.choice for one in events} == {0}
    named = [(one.index, one.id, one.name) for one in events if isinstance(one, ToolCallDelta) and one.id]
    assert named == [(0, "c1", "w"), (1, "c2", "now")]


def test_the_finish_is_said_once_and_at_the_end() -> None:
    events = events_of([opening(), *call(0, "c1", "w", "{}"), *call(1, "c2", "w", "{}"), ending("TOOL_CALL")])
    assert [one for one in events if isinstance(one, Finish)] == [events[-1]]


def test_thoughts_are_marked_as_coheres_once() -> None:
    more = event("content-start", {"content": {"type": "thinking", "thinking": "!"}}, index=1)
    events = events_of([opening(), *block(0, "thinking", "h", "m"), more, ending()])
    marks = [one.frame.body["choices"][0]["delta"] for one in events if isinstance(one, Opaque) and one.frame][1:]
    assert marks == [{"extra_content": {"cohere": {"thinking": True}}}]
    assert [one.text for one in events if isinstance(one, ReasoningDelta)] == ["h", "m", "!"]


def test_citations_are_numbered_chunks_that_guards_read() -> None:
    wire = [opening(), *block(0, "text", "a b"), *cited(0, "a"), *cited(0, "b"), ending()]
    chunks = [one for one in events_of(wire) if isinstance(one, Opaque) and one.slots]
    deltas = [one.frame.body["choices"][0]["delta"] for one in chunks if one.frame]
    assert [delta["extra_content"]["cohere"]["citations"] for delta in deltas] == [
        [{"index": 0, **citation("a")}],
        [{"index": 1, **citation("b")}],
    ]
    assert [slot.text for slot in chunks[0].slots if slot.kind != "key"] == ["a", "Tides", "On a."]
    changed = chunks[0].with_texts({slot.path: "[X]" for slot in chunks[0].slots if slot.text == "a"})
    encoder = OPENAI_CHAT.stream_encoder(OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user"}]}))
    assert b'"text":"[X]"' in encoder.encode(changed)


def test_a_scored_fragment_is_a_chunk_that_loses_its_score_with_its_text() -> None:
    scored = event("content-delta", {"content": {"text": "aé"}}, index=0, logprobs=LOGPROBS)
    _, text, opaque, _ = events_of([opening(), scored, ending()])
    assert text.frame is opaque.frame
    assert text.frame is not None
    assert text.frame.body["choices"][0]["logprobs"] == {"content": [SCORED], "refusal": None}
    encoder = OPENAI_CHAT.stream_encoder(OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user"}]}))
    assert isinstance(text, TextDelta)
    written = encoder.encode(text.with_text("[X]")) + encoder.encode(opaque)
    assert json.loads(written.removeprefix(b"data: "))["choices"][0]["logprobs"] is None


@pytest.mark.parametrize("fragments", [(), ("",), ("null",), ("nu", "ll"), ("n", "", "ull")])
@pytest.mark.parametrize("closed", [True, False])
def test_a_streamed_call_without_arguments_gets_an_empty_object(fragments: tuple[str, ...], closed: bool) -> None:
    events = call(0, "c", "w", *fragments)
    wire = [opening(), *(events if closed else events[:-1]), ending("TOOL_CALL")]
    assert arguments_of(events_of(wire)) == ["{}"]


def arguments_of(events: Sequence[Event]) -> list[str]:
    """The arguments of each call."""
    said: dict[int, str] = {}
    for one in events:
        if isinstance(one, ToolCallDelta):
            said[one.index] = said.get(one.index, "") + one.text
    return [said[index] for index in sorted(said)]


def test_calls_that_interleave_or_leave_out_their_numbers_stay_apart() -> None:
    first, second = call(5, "a", "w", '{"x":', "1}"), call(7, "b", "w", '{"y":', "2}")
    mixed = [event for pair in zip(first, second, strict=True) for event in pair]
    assert arguments_of(events_of([opening(), *mixed, ending("TOOL_CALL")])) == ['{"x":1}', '{"y":2}']
    bare = [line.replace(b'"index":5,', b"").replace(b'"index":7,', b"") for line in [*first, *second]]
    assert arguments_of(events_of([opening(), *bare, ending("TOOL_CALL")])) == ['{"x":1}', '{"y":2}']


@pytest.mark.parametrize(
    "broken",
    [
        b"data: oops\n\n",
        b"data: []\n\n",
        event("content-delta", {"content": {"text": 3}}, index=0),
        event("content-delta", {"content": ["a"]}, index=0),
        event("tool-plan-delta", {"tool_plan": 3}),
        event("tool-call-start", {}, index=0),
        event("tool-call-start", {"tool_calls": [{"id": "c"}]}, index=0),
        event("tool-call-delta", {"tool_calls": {"function": {"arguments": "{}"}}}, index=0),
        event("tool-call-delta", {"tool_calls": {"function": {"arguments": "{}"}}}),
        event("tool-call-start", {"tool_calls": {"id": "c", "function": {"arguments": 3}}}, index=0),
    ],
)
def test_u11_what_would_lose_a_part_of_the_answer_is_an_error(broken: bytes) -> None:
    events, error = played([opening(), *block(0, "text", "a"), broken, ending()])
    assert (text_of(events), error and error.code) == ("a", "upstream_invalid_response")


@pytest.mark.parametrize(
    "unread",
    [
        b": comment\n\n",
        b"event: ping\ndata: {}\n\n",
        event("debug", prompt="<BOS> the whole prompt"),
        event("an-event-that-is-new"),
        event("content-start"),
        event("citation-start", {"citations": None}, index=0),
        event("tool-call-end", index=9),
        b'data: {"type": ["message-end"]}\n\n',
    ],
)
def test_u10_what_says_nothing_of_the_answer_is_passed_over(unread: bytes) -> None:
    clean = [opening(), *block(0, "text", "a"), ending()]
    assert shape(events_of([clean[0], unread, *clean[1:]])) == shape(events_of(clean))


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ([], "upstream_stream_interrupted"),
        ([b"data: [DONE]\n\n"], "upstream_stream_interrupted"),
        ([ending(None)], "upstream_stream_interrupted"),
        ([ending(None, COUNTED)], "upstream_stream_interrupted"),
        ([ending("ERROR", error="broke")], "upstream_error"),
        ([ending("TIMEOUT")], "upstream_timeout"),
        ([ending(None, error="broke")], "upstream_error"),
        ([b'data: {"message": "broke"}\n\n'], "upstream_error"),
        ([b'event: error\ndata: {"message": "broke"}\n\n'], "upstream_error"),
    ],
)
def test_u09_only_a_reason_to_finish_makes_a_stream_complete(tail: list[bytes], code: str) -> None:
    events, error = played([opening(), *block(0, "text", "a"), *tail])
    assert text_of(events) == "a"
    assert not [one for one in events if isinstance(one, Finish)]
    assert error is not None
    assert (error.code, error.message == "broke") == (code, code == "upstream_error")


def test_u25_what_follows_the_end_is_dropped() -> None:
    clean = [opening(), *block(0, "text", "a"), ending()]
    more = [b"data: [DONE]\n\n", *block(1, "text", "b"), ending("ERROR")]
    assert shape(events_of([*clean, *more])) == shape(events_of(clean))


def test_only_what_says_something_commits_to_an_answer() -> None:
    decoder = COHERE_CHAT.reader("m").stream_decoder()
    said = [*block(0, "thinking", "hm"), *plan("p"), *call(0, "c", "w"), *cited(0, "a"), ending(counted=COUNTED)]
    events = events_of([opening(), *said])
    bears = [(type(one).__name__, decoder.bears_content(one)) for one in events]
    assert bears == [
        ("Opaque", False),
        ("Opaque", False),
        ("ReasoningDelta", True),
        ("TextDelta", True),
        ("ToolCallDelta", True),
        ("ToolCallDelta", True),
        ("Opaque", True),
        ("Finish", True),
        ("UsageReport", False),
    ]


@pytest.mark.parametrize(
    ("word", "reason"), [("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("A_NEW_REASON", "stop")]
)
def test_reasons_to_finish(word: str, reason: str) -> None:
    assert Finish(reason=reason) in events_of([opening(), ending(word)])


# Properties.
texts = st.text(min_size=1, max_size=8)
words = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=5)
inputs = st.dictionaries(words, texts | st.integers(-9, 9) | st.lists(texts, max_size=2), max_size=3)
answers = st.builds(
    lambda text, reasoning, calls, finish: Said(text, reasoning, calls, "tool_calls" if calls else finish),
    st.just("") | texts,
    st.just("") | texts,
    st.lists(st.builds(Call, words, words, inputs), max_size=2, unique_by=lambda one: one.id),
    st.sampled_from(["stop", "length"]),
)
cuts = st.lists(st.integers(0, 3000), max_size=12).map(sorted)


def _answered(said: Said) -> Answer:
    return COHERE_CHAT.reader("m").decode_answer(json.dumps(COHERE.answer(said)).encode())


@promised()
@given(answers, st.booleans(), cuts)
def test_p8_a_stream_is_the_same_however_its_bytes_are_cut(said: Said, quoted: bool, places: list[int]) -> None:
    wire = COHERE.stream(said)
    parts = [*wire.opening, *wire.content, *(cited(0, said.text) if quoted else ()), *wire.ending]
    assert shape(played(parts, places)[0]) == shape(events_of(parts))


def test_u10_a_stream_is_the_same_byte_by_byte() -> None:
    said = [*block(0, "thinking", "hm"), *plan("é🙂"), *call(0, "c", "w", '{"a":', "1}"), *cited(0, "a")]
    wire = [opening(), *said, ending("TOOL_CALL", COUNTED)]
    assert shape(played(wire, range(1, len(b"".join(wire))))[0]) == shape(events_of(wire))


@promised()
@given(answers)
def test_p8_a_stream_says_what_the_unary_answer_says(said: Said) -> None:
    whole = _answered(said)
    streamed = OPENAI_CHAT.assemble(events_of(COHERE.stream(said).whole))
    mine, theirs = dict(whole.body["choices"][0]["message"]), dict(streamed.body["choices"][0]["message"])
    mine.pop("extra_content", None)  # in a stream, a chunk of its own
    assert mine == theirs
    assert whole.body["choices"][0]["finish_reason"] == streamed.body["choices"][0]["finish_reason"] == said.finish
    assert whole.usage == streamed.usage == said.usage


@promised()
@given(inputs, st.lists(st.integers(0, 60), max_size=8).map(sorted))
def test_p8_arguments_of_a_tool_stay_valid_json_at_every_split(value: JsonObject, places: list[int]) -> None:
    text = json.dumps(value, ensure_ascii=False)
    ends = [*places, len(text)]
    parts = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    (arguments,) = arguments_of(events_of([opening(), *call(0, "c", "w", *parts), ending("TOOL_CALL")]))
    assert json.loads(arguments) == value


@promised()
@given(answers)
def test_p8_an_answer_reaches_a_client_of_messages(said: Said) -> None:
    messages = [{"role": "user", "content": "hi"}]
    asked = ANTHROPIC_MESSAGES.decode_request({"model": "m", "max_tokens": 9, "messages": messages})
    body = translated_answer(_answered(said), asked).body
    kinds = ["thinking"] * bool(said.reasoning) + ["text"] * bool(said.text) + ["tool_use"] * len(said.calls)
    assert [one["type"] for one in body["content"]] == kinds
    assert [one["input"] for one in body["content"] if one["type"] == "tool_use"] == [c.arguments for c in said.calls]
    assert body["usage"] == {"input_tokens": 3, "output_tokens": 2}


KINDS = ["message-start", "content-start", "content-delta", "tool-plan-delta", "tool-call-start", "tool-call-delta"]
KINDS += ["tool-call-end", "citation-start", "message-end"]
KEYS = ["delta", "message", "content", "tool_calls", "function", "index", "type", "text", "citations", "usage"]
bodies = json_values(st.none() | st.integers() | st.text(max_size=3), st.sampled_from(KEYS), levels=3, width=3)


@given(st.lists(st.tuples(bodies, st.sampled_from(KINDS)), max_size=4))
def test_u11_no_event_of_an_upstream_is_a_fault_of_ours(said: list[tuple[JsonValue, str]]) -> None:
    told = [{**(body if isinstance(body, dict) else {"delta": body}), "type": kind} for body, kind in said]
    error = played([sse(body) for body in told])[1]
    assert error is None or error.code.startswith("upstream_")
